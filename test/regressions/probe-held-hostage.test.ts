// With the breaker half-open, one call probes the upstream. A caller that took that place and then sent its body a byte
// at a time kept every other caller of every tenant out for as long as a body may take.
import { expect, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { connectRaw } from '../harness/raw-client.ts'
import { startUpstream } from '../harness/upstream.ts'
import { virtualClock } from '../harness/virtual-clock.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'
const COMMENT = '/github/repos/zyx/platform-infra/issues/991/comments'
const OPEN_MS = 10_000

test('a probe whose body does not come does not keep others out', async () => {
  const clock = virtualClock(Date.now())
  let healthy = false
  await using upstream = await startUpstream((_, response) => {
    response.writeHead(healthy ? 200 : 500, { 'content-type': 'application/json' }).end('{}')
  })
  await using toolgate = await startTestGateway({
    upstream: upstream.origin,
    clock,
    settings: {
      breakers: { upstream: { failures: 2, windowMs: 60_000, openMs: OPEN_MS, halfOpenCalls: 1 } },
    },
  })
  await toolgate.send('GET', PULL)
  await toolgate.send('GET', PULL)
  expect(await toolgate.send('GET', PULL)).toMatchObject({ code: 'breaker.upstream_open' })
  healthy = true

  const token = toolgate.token()
  await using hostage = await connectRaw(toolgate.gateway.port)
  clock.advance(OPEN_MS)
  // For the locks, too, that much time has passed without news: until there are some, changes are refused.
  await expect.poll(() => toolgate.metric('toolgate_locks_state', { state: 'fresh' })).toBe(1)
  hostage.send(
    [
      `POST ${COMMENT} HTTP/1.1`,
      'Host: gateway.test',
      `Authorization: DPoP ${token}`,
      `DPoP: ${toolgate.proof('POST', COMMENT, { token })}`,
      'Content-Type: application/json',
      'Content-Length: 100',
      '',
      '{',
    ].join('\r\n'),
  )
  await expect.poll(() => toolgate.metric('toolgate_calls_in_flight')).toBe(1)
  expect(await toolgate.send('GET', PULL)).toMatchObject({ code: 'breaker.upstream_open' })
  clock.advance(OPEN_MS)
  expect((await toolgate.send('GET', PULL)).status).toBe(200)
})
