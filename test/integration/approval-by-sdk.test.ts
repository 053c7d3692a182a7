import { Octokit } from '@octokit/rest'
import { WebClient } from '@slack/web-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { APPROVAL_RULES } from '../harness/approval-rules.ts'
import { type Approver, openApprover } from '../harness/approver.ts'
import { startSdkWorld, type SdkWorld } from '../harness/sdk-world.ts'

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const COMMENT = { owner: 'zyx', repo: 'platform-infra', issue_number: 991 } as const

let world: SdkWorld
let approver: Approver
let octokit: Octokit
beforeAll(async () => {
  world = await startSdkWorld({}, APPROVAL_RULES)
  approver = await openApprover(world.toolgate.loaded)
  octokit = new Octokit({ baseUrl: `${world.toolgate.origin}/github`, log: quiet })
})
afterAll(async () => {
  await approver[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

/** The approval that an error of an SDK names. */
function approvalIn(members: unknown): string {
  return (members as { readonly approval: { readonly id: string } }).approval.id
}

describe('Octokit', () => {
  it('is told once that people are asked, and goes through with their answer', async () => {
    const body = 'by Octokit'
    world.takeRequests()
    const error: unknown = await octokit.issues
      .createComment({ ...COMMENT, body })
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'HttpError', status: 403 })
    expect(world.takeRequests()).toHaveLength(1)
    const { response } = error as { readonly response: { readonly data: unknown } }
    const id = approvalIn(response.data)
    await approver.say('approve', id)
    const { status } = await octokit.issues.createComment({
      ...COMMENT,
      body,
      headers: { 'toolgate-approval': id },
    })
    expect(status).toBe(201)
  })

  it('waits for people where it is told to', async () => {
    const answer = octokit.issues.createComment({
      ...COMMENT,
      body: 'patiently, by Octokit',
      headers: { prefer: 'wait=30' },
    })
    const { id } = await approver.asked()
    await approver.say('approve', id)
    expect((await answer).status).toBe(201)
  })
})

describe('The Slack SDK', () => {
  const clientWith = (headers: Record<string, string>): WebClient =>
    new WebClient('not-used', { slackApiUrl: `${world.toolgate.origin}/slack/api/`, headers })

  it('is told once that people are asked, and goes through with their answer', async () => {
    const message = { channel: 'devsecops-change-review', text: 'by the Slack SDK' }
    world.takeRequests()
    const error: unknown = await clientWith({})
      .chat.postMessage(message)
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'slack_webapi_platform_error', data: { code: 'approval.required' } })
    expect(world.takeRequests()).toHaveLength(1)
    const id = approvalIn((error as { readonly data: unknown }).data)
    await approver.say('approve', id)
    expect((await clientWith({ 'toolgate-approval': id }).chat.postMessage(message)).ok).toBe(true)
  })
})
