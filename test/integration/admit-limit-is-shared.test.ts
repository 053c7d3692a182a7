import { expect, it } from 'vitest'
import { startRedis } from '../harness/redis.ts'
import { codeOf, EVERYTHING, NO_LIMITS, startAdmission } from './admit-gateway.ts'

it('two gateways that share Redis together never admit more than the limit', async () => {
  await using redis = await startRedis()
  const rate = {
    name: 'pace',
    by: ['agent'] as const,
    match: EVERYTHING,
    calls: 60,
    windowMs: 3_600_000,
    burst: 40,
  }
  const limits = { ...NO_LIMITS, rates: [rate] }
  await using one = await startAdmission({ redis, limits, shares: 2 })
  await using other = await startAdmission({ redis, limits, shares: 2 })
  const verdicts = await Promise.all(
    Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? one : other).admit()),
  )
  const codes = verdicts.map(codeOf)
  expect(codes.filter((code) => code === 'admitted')).toHaveLength(40)
  expect(codes.filter((code) => code === 'limit.rate')).toHaveLength(160)
})

it('a limit without a tenant holds over all tenants together, in the same single trip', async () => {
  await using redis = await startRedis()
  const limits = {
    ...NO_LIMITS,
    quotas: [{ name: 'all', by: [], match: EVERYTHING, calls: 2, per: 'day' as const }],
  }
  await using gateway = await startAdmission({ redis, limits })
  const codes = []
  for (const tenant of ['one', 'two', 'three']) codes.push(codeOf(await gateway.admit({ tenant })))
  expect(codes).toEqual(['admitted', 'admitted', 'limit.quota'])
})

it('a tenant cannot spend the limit of another by what it is called', async () => {
  await using redis = await startRedis()
  const rate = {
    name: 'pace',
    by: ['tenant'] as const,
    match: EVERYTHING,
    calls: 1,
    windowMs: 3_600_000,
    burst: 1,
  }
  await using gateway = await startAdmission({ redis, limits: { ...NO_LIMITS, rates: [rate] } })
  const hostile = [
    'victim}',
    '{victim}',
    'victim}:r:pace',
    'x}{victim',
    'victim ',
    'victim\r\nFLUSHALL',
    '',
    '%g',
  ]
  for (const tenant of hostile) expect(codeOf(await gateway.admit({ tenant }))).toBe('admitted')
  expect(codeOf(await gateway.admit({ tenant: 'victim' }))).toBe('admitted')
  expect(codeOf(await gateway.admit({ tenant: 'victim' }))).toBe('limit.rate')
  for (const key of await redis.admin.keys('*')) expect(key).toMatch(/^tg:(probe$|\{[^{}\s:]+\}:)/)
})
