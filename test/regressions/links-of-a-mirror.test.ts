// With `connectors.github.origin` set to a mirror, pagination links still named api.github.com and were passed as they
// were, so that the second page was fetched around the gateway.
import { expect, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'

test('the links of an upstream that names its vendor lead through the gateway', async () => {
  await using toolgate = await startTestGateway()
  const answer = await toolgate.send('GET', '/github/repos/zyx/platform-infra/pulls/991/files?per_page=1')
  const link = String(answer.headers['link'])
  expect(link).toMatch(/rel="next"/)
  expect(link.match(/<[^>]*>/g)?.every((target) => target.startsWith(`<${toolgate.origin}/github/`))).toBe(
    true,
  )
})
