import { expect, it } from 'vitest'
import { startRedis } from '../harness/redis.ts'
import { until } from '../harness/until.ts'
import { codeOf, startAdmission } from '../integration/admit-gateway.ts'

const TIMEOUT_MS = 100

it('waits no longer than its timeout for a Redis that does not answer, and then not at all', async () => {
  await using redis = await startRedis()
  await using gateway = await startAdmission({ redis: { url: redis.url, timeoutMs: TIMEOUT_MS } })
  expect(codeOf(await gateway.admit())).toBe('admitted')
  redis.pause()

  const startedMs = performance.now()
  const waiting = await Promise.all(Array.from({ length: 20 }, () => gateway.admit({ access: 'write' })))
  const waitedMs = performance.now() - startedMs
  expect(new Set(waiting.map(codeOf))).toEqual(new Set(['store.unavailable']))
  expect(waitedMs).toBeLessThan(TIMEOUT_MS * 3)

  const afterMs = performance.now()
  for (let call = 0; call < 100; call++) {
    expect(codeOf(await gateway.admit({ access: 'write' }))).toBe('store.unavailable')
  }
  expect(performance.now() - afterMs).toBeLessThan(TIMEOUT_MS)

  redis.resume()
  const resumedMs = performance.now()
  await until(async () => (await gateway.admit({ access: 'write' })).ok)
  expect(performance.now() - resumedMs).toBeLessThan(2_000)
})

it('goes on without stopping when single answers are late', async () => {
  await using redis = await startRedis()
  await using gateway = await startAdmission({ redis: { url: redis.url, timeoutMs: TIMEOUT_MS } })
  for (let round = 0; round < 3; round++) {
    redis.pause()
    expect(codeOf(await gateway.admit({ access: 'write' }))).toBe('store.unavailable')
    redis.resume()
    expect(gateway.store.state).toBe('up')
    await until(async () => (await gateway.admit({ access: 'write' })).ok)
  }
})
