// A Slack method ignores arguments that it does not have. `search.messages` has no `channel`: with one that policy
// allows as a decoy, it showed what is said in every channel, and `files.info` a file of any.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'

let toolgate: TestGateway
beforeAll(async () => {
  toolgate = await startTestGateway()
})
afterAll(() => toolgate[Symbol.asyncDispose]())

const ALLOWED = 'C0CHANGEREV'

test.each([
  ['search.messages', 'query=salaries'],
  ['search.files', 'query=salaries'],
  ['search.all', 'query=salaries'],
  ['files.info', 'file=F0SALARIES'],
  ['files.remote.info', 'file=F0SALARIES'],
  ['reactions.list', 'user=U0DANA'],
  ['reactions.get', 'file=F0SALARIES'],
  ['stars.list', ''],
  ['users.conversations', 'user=U0DANA'],
  ['canvases.sections.lookup', 'canvas_id=F0SALARIES'],
  ['conversations.requestSharedInvite.list', ''],
  ['admin.conversations.ekm.listOriginalConnectedChannelInfo', 'channel_ids=C0BOARD'],
])('%s is not judged by a channel that it does not look at', async (method, decoyed) => {
  for (const place of ['query', 'form'] as const) {
    const fields = `${decoyed}&channel=${ALLOWED}`
    const answer =
      place === 'query'
        ? await toolgate.send('GET', `/slack/api/${method}?${fields}`)
        : await toolgate.send('POST', `/slack/api/${method}`, {
            body: fields,
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
          })
    expect(answer).toMatchObject({ decision: 'deny', code: 'policy.denied' })
  }
  expect(toolgate.fakes.slack.requests).toHaveLength(0)
})

test('a method that looks at its channel is judged by it', async () => {
  expect(await toolgate.send('GET', `/slack/api/conversations.info?channel=${ALLOWED}`)).toMatchObject({
    decision: 'allow',
  })
  expect(await toolgate.send('GET', '/slack/api/conversations.info?channel=C0BOARD')).toMatchObject({
    decision: 'deny',
  })
})
