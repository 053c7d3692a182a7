import { expect, it } from 'vitest'
import type { Access } from '../../gateway/catalog/connector.ts'
import type { FailureMode } from '../../gateway/config/store-config.ts'
import type { StoreState } from '../../gateway/store/store-health.ts'
import { startRedis } from '../harness/redis.ts'
import { until } from '../harness/until.ts'
import { codeOf, EVERYTHING, freshProof, NO_LIMITS, startAdmission } from '../integration/admit-gateway.ts'

const pace = (calls: number): typeof NO_LIMITS => ({
  ...NO_LIMITS,
  rates: [{ name: 'pace', by: ['agent'], match: EVERYTHING, calls, windowMs: 3_600_000, burst: calls }],
})

it('refuses writes and counts reads on its own share while Redis is gone, then goes back to counting with all', async () => {
  await using redis = await startRedis()
  const states: StoreState[] = []
  const fallbacks: [FailureMode, Access][] = []
  const events = {
    stateChanged: (state: StoreState) => states.push(state),
    fellBack: (mode: FailureMode, access: Access) => fallbacks.push([mode, access]),
  }
  await using gateway = await startAdmission({ redis, limits: pace(8), shares: 4, events })
  expect(codeOf(await gateway.admit())).toBe('admitted')
  await redis.kill()

  const refused = await gateway.admit({ access: 'write' })
  expect(refused).toMatchObject({ ok: false, refusal: { code: 'store.unavailable', retryAfterMs: 1_000 } })
  const reads = []
  for (let call = 0; call < 4; call++) reads.push(codeOf(await gateway.admit()))
  expect(reads).toEqual(['admitted', 'admitted', 'limit.rate', 'limit.rate'])
  expect(gateway.store.state).toBe('down')
  expect(fallbacks).toEqual([['closed', 'write'], ...reads.map(() => ['local', 'read'])])

  await redis.restart()
  const startedMs = performance.now()
  await until(async () => (await gateway.admit({ access: 'write' })).ok)
  expect(performance.now() - startedMs).toBeLessThan(2_000)
  expect(states).toEqual(['up', 'down', 'up'])
})

it('answers at once while Redis is gone', async () => {
  await using redis = await startRedis()
  await using gateway = await startAdmission({ redis })
  await redis.kill()
  await until(async () => {
    await gateway.admit({ access: 'write' })
    return gateway.store.state === 'down'
  })
  const startedMs = performance.now()
  for (let call = 0; call < 1_000; call++) {
    expect(codeOf(await gateway.admit({ access: 'write' }))).toBe('store.unavailable')
  }
  expect(performance.now() - startedMs).toBeLessThan(1_000)
})

it.each(['open', 'local'] as const)(
  'knows a proof again that it saw before Redis went, in mode %s',
  async (mode) => {
    await using redis = await startRedis()
    await using gateway = await startAdmission({ redis, onFailure: { read: mode, write: mode } })
    const seen = freshProof()
    expect(codeOf(await gateway.admit({ replay: seen }))).toBe('admitted')
    await redis.kill()
    await until(async () => {
      const replay = freshProof()
      const first = codeOf(await gateway.admit({ replay }))
      expect([first, codeOf(await gateway.admit({ replay }))]).toEqual([
        'admitted',
        'identity.proof_replayed',
      ])
      return gateway.store.state === 'down'
    })
    expect(codeOf(await gateway.admit({ replay: seen, access: 'write' }))).toBe('identity.proof_replayed')
    expect(codeOf(await gateway.admit({ replay: freshProof(), access: 'write' }))).toBe('admitted')
  },
)

it.each(['open', 'local'] as const)(
  'refuses a write by DPoP in a fleet that cannot compare proofs, even in mode %s, and reports such reads',
  async (mode) => {
    await using redis = await startRedis()
    let unshared = 0
    const events = { replayUnshared: () => unshared++ }
    const onFailure = { read: mode, write: mode }
    await using gateway = await startAdmission({ redis, onFailure, shares: 2, events })
    await redis.kill()
    expect(codeOf(await gateway.admit({ access: 'write', replay: freshProof() }))).toBe('store.unavailable')
    expect(codeOf(await gateway.admit({ access: 'write' }))).toBe('admitted')
    expect(unshared).toBe(0)
    expect(codeOf(await gateway.admit({ replay: freshProof() }))).toBe('admitted')
    expect(unshared).toBe(1)
  },
)

it('knows a proof again that it saw before Redis lost its memory', async () => {
  await using redis = await startRedis()
  await using gateway = await startAdmission({ redis })
  const seen = freshProof()
  expect(codeOf(await gateway.admit({ replay: seen, access: 'write' }))).toBe('admitted')
  await redis.restart()
  await until(async () => (await gateway.admit({ access: 'write' })).ok)
  expect(await redis.admin.keys('tg:*:p:*')).toEqual([])
  expect(codeOf(await gateway.admit({ replay: seen, access: 'write' }))).toBe('identity.proof_replayed')
})

it('starts without Redis, refuses writes, and goes on by itself when Redis comes', async () => {
  await using redis = await startRedis()
  await redis.kill()
  const starting = startAdmission({ redis })
  await redis.restart()
  await using gateway = await starting
  expect(codeOf(await gateway.admit({ access: 'write' }))).toBe('admitted')
})
