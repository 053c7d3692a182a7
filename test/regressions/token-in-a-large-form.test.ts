// A multipart form above the size that is held passes as a stream, unread. For a vendor that takes its token as a field
// of a form, that was a way to act with a token of one's own in the place of the gateway's.
import { expect, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import { ALLOW_EVERYTHING } from '../harness/permissive-rules.ts'

const form = (token: string, padding: number): string =>
  [
    '--b',
    'Content-Disposition: form-data; name="padding"; filename="p"',
    '',
    'x'.repeat(padding),
    '--b',
    'Content-Disposition: form-data; name="token"',
    '',
    token,
    '--b--',
    '',
  ].join('\r\n')

test.each([
  ['small enough to be read', 10, 'request.credential_misplaced'],
  ['too large to be read', 2_000_000, 'request.body_too_large'],
])('a token of its own in a form %s is refused', async (_, padding, code) => {
  await using toolgate = await startTestGateway({ bundle: await compileRules(ALLOW_EVERYTHING) })
  const answer = await toolgate.send('POST', '/slack/api/auth.test', {
    body: form('xoxb-of-the-agent', padding),
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
  })
  expect(answer).toMatchObject({ decision: 'deny', code })
  expect(toolgate.fakes.slack.requests).toHaveLength(0)
})
