import { expect, it } from 'vitest'
import { type RunningRedis, startRedis } from '../harness/redis.ts'
import { until } from '../harness/until.ts'
import { type AdmissionGateway, codeOf, freshProof, startAdmission } from '../integration/admit-gateway.ts'

/** Calls get through it before, are refused or counted alone while it lasts, and get through again. */
async function closesThenOpens(gateway: AdmissionGateway, heal: () => Promise<unknown>): Promise<number> {
  await until(async () => {
    expect(codeOf(await gateway.admit({ access: 'write', replay: freshProof() }))).toBe('store.unavailable')
    expect(codeOf(await gateway.admit({ access: 'read' }))).toBe('admitted')
    return gateway.store.state === 'down'
  })
  await heal()
  const healedMs = performance.now()
  await until(async () => (await gateway.admit({ access: 'write' })).ok)
  return performance.now() - healedMs
}

it('refuses writes while Redis is a read-only replica', async () => {
  await using redis = await startRedis()
  await using gateway = await startAdmission({ redis })
  await redis.admin.call('REPLICAOF', '127.0.0.1', '1')
  const healed = closesThenOpens(gateway, () => redis.admin.call('REPLICAOF', 'NO', 'ONE'))
  expect(await healed).toBeLessThan(2_000)
})

it('refuses writes while Redis is out of memory and may not evict', async () => {
  await using redis = await startRedis({ args: ['--maxmemory-policy', 'noeviction'] })
  await using gateway = await startAdmission({ redis })
  await redis.admin.config('SET', 'maxmemory', '1')
  const healed = closesThenOpens(gateway, () => redis.admin.config('SET', 'maxmemory', '0'))
  expect(await healed).toBeLessThan(2_000)
})

it('keeps a proof or refuses the call when memory runs out in between', async () => {
  await using redis = await startRedis({ args: ['--maxmemory-policy', 'noeviction'] })
  await using gateway = await startAdmission({ redis })
  const replay = freshProof()
  await redis.admin.config('SET', 'maxmemory', '1')
  expect(codeOf(await gateway.admit({ access: 'write', replay }))).toBe('store.unavailable')
  await redis.admin.config('SET', 'maxmemory', '0')
  expect(codeOf(await gateway.admit({ access: 'write', replay }))).toBe('identity.proof_replayed')
})

it('refuses writes while Redis is loading, and waits for it', async () => {
  await using redis = await startRedis({
    args: ['--key-load-delay', '20000', '--loading-process-events-interval-bytes', '1024'],
  })
  await using gateway = await startAdmission({ redis })
  await fill(redis)
  await redis.admin.save()
  await redis.kill()
  const loaded = redis.restart()
  let refusedWhileLoading = 0
  await until(async () => {
    const loading = await isLoading(redis)
    const code = codeOf(await gateway.admit({ access: 'write' }))
    if (loading && code === 'store.unavailable') refusedWhileLoading++
    return code === 'admitted'
  })
  await loaded
  expect(refusedWhileLoading).toBeGreaterThan(0)
})

async function fill(redis: RunningRedis): Promise<void> {
  const pairs = Object.fromEntries(
    Array.from({ length: 50 }, (_, index) => [`filler-${index}`, 'x'.repeat(2_000)]),
  )
  await redis.admin.mset(pairs)
}

async function isLoading(redis: RunningRedis): Promise<boolean> {
  return redis.admin.status === 'ready' || redis.admin.status === 'connect'
    ? (await redis.admin.info('persistence').catch(() => '')).includes('loading:1')
    : false
}
