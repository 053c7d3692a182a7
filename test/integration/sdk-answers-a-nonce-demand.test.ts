import { Octokit } from '@octokit/rest'
import { WebClient } from '@slack/web-api'
import { createV2Client } from 'confluence.js'
import { createCloudClient } from 'jira.js'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startSdkWorld, type SdkWorld } from '../harness/sdk-world.ts'

let world: SdkWorld
beforeAll(async () => {
  world = await startSdkWorld({ nonce: 'required' })
})
afterAll(() => world[Symbol.asyncDispose]())

/** RFC 9449 §9: the fetch below the SDK answers the demand, and the SDK knows nothing of it. */
it('all four SDKs work where nonces are demanded, and only the very first call is sent twice', async () => {
  const { origin } = world.toolgate
  const { github, jira, confluence, slack } = world.toolgate.fakes
  const octokit = new Octokit({ baseUrl: `${origin}/github` })
  const comment = { owner: 'zyx', repo: 'platform-infra', issue_number: 991, body: 'once' }
  expect((await octokit.issues.createComment(comment)).status).toBe(201)
  expect(github.requests).toHaveLength(1)
  await createCloudClient({ host: `${origin}/jira` }).issues.getIssue({ issueIdOrKey: 'CHG-18422' })
  await createV2Client({ host: `${origin}/confluence` }).page.getPages({ limit: 1 })
  const web = new WebClient(undefined, { slackApiUrl: `${origin}/slack/api/` })
  expect(await web.auth.test()).toMatchObject({ ok: true })
  for (const { requests } of [jira, confluence, slack]) expect(requests).toHaveLength(1)
  const demanded = (await world.toolgate.logLines()).filter(
    ({ reason }) => reason === 'identity.nonce_required',
  )
  expect(demanded).toHaveLength(1)
})
