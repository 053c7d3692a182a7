// "Every read of GitHub" was one grant: it gave a reviewer of changes the secrets that a scan of the repository found,
// in plain text, and everything said in a channel.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'

let toolgate: TestGateway
beforeAll(async () => {
  toolgate = await startTestGateway()
})
afterAll(() => toolgate[Symbol.asyncDispose]())

test.each([
  '/github/repos/zyx/platform-infra/secret-scanning/alerts',
  '/github/repos/zyx/platform-infra/actions/runs/1/logs',
  '/github/repos/zyx/platform-infra/actions/variables/DEPLOY_HOST',
  '/slack/api/conversations.history?channel=C0CHANGEREV',
])('%s is granted by name, or not at all', async (target) => {
  expect(await toolgate.send('GET', target)).toMatchObject({ decision: 'deny', code: 'policy.denied' })
  expect(toolgate.fakes.github.requests).toHaveLength(0)
  expect(toolgate.fakes.slack.requests).toHaveLength(0)
})
