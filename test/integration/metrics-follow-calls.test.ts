import { expect, it } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'

it('counts a token that is new as a miss, and the same one again as a hit', async () => {
  await using toolgate = await startTestGateway()
  const lookups = (result: string) => toolgate.metric('toolgate_identity_cache_lookups_total', { result })
  const token = toolgate.token()
  await toolgate.send('GET', PULL, { token })
  expect([await lookups('miss'), await lookups('hit')]).toEqual([1, 0])
  await toolgate.send('GET', PULL, { token })
  expect([await lookups('miss'), await lookups('hit')]).toEqual([1, 1])
  await toolgate.send('GET', PULL, { token: `${token}x` })
  expect([await lookups('miss'), await lookups('hit')]).toEqual([2, 1])
})

it('times each answer of the store', async () => {
  await using toolgate = await startTestGateway()
  await toolgate.send('GET', PULL)
  await toolgate.send('GET', PULL)
  expect(await toolgate.metric('toolgate_store_duration_seconds_count')).toBe(2)
})
