import { expect, it } from 'vitest'
import { startRedis } from '../harness/redis.ts'
import { until } from '../harness/until.ts'
import { codeOf, EVERYTHING, leaseOf, NO_LIMITS, startAdmission } from './admit-gateway.ts'

const limits = {
  ...NO_LIMITS,
  concurrency: [{ name: 'one', by: ['tenant'] as const, match: EVERYTHING, calls: 1, leaseMs: 1_000 }],
}
const settlement = { outcome: 'allowed', attempted: true, upstreamStatus: 200, upstreamMs: 5 } as const

it('the place of a call whose gateway died is free again when its lease has lapsed', async () => {
  await using redis = await startRedis()
  const dying = await startAdmission({ redis, limits })
  leaseOf(await dying.admit())
  dying.crash()
  await using other = await startAdmission({ redis, limits })
  expect(codeOf(await other.admit())).toBe('limit.concurrency')
  const startedMs = performance.now()
  await until(async () => (await other.admit()).ok)
  expect(performance.now() - startedMs).toBeLessThan(2_000)
})

it('the place of a call that lives longer than its lease stays taken until it is settled', async () => {
  await using redis = await startRedis()
  await using gateway = await startAdmission({ redis, limits })
  const lease = leaseOf(await gateway.admit())
  const startedMs = performance.now()
  await until(async () => {
    expect(codeOf(await gateway.admit())).toBe('limit.concurrency')
    return performance.now() - startedMs > 2_500
  })
  lease.settle(settlement)
  expect(codeOf(await gateway.admit())).toBe('admitted')
})

it('settling twice frees one place', async () => {
  await using redis = await startRedis()
  const two = { ...limits, concurrency: limits.concurrency.map((limit) => ({ ...limit, calls: 2 })) }
  await using gateway = await startAdmission({ redis, limits: two })
  const lease = leaseOf(await gateway.admit())
  leaseOf(await gateway.admit())
  lease.settle(settlement)
  lease.settle(settlement)
  expect(codeOf(await gateway.admit())).toBe('admitted')
  expect(codeOf(await gateway.admit())).toBe('limit.concurrency')
})
