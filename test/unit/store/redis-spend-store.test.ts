import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRedisSpendStore } from '../../../gateway/store/redis-spend-store.ts'
import { type RunningRedis, startRedis } from '../../harness/redis.ts'
import {
  describeSpendStore,
  reserved,
  spendDemand,
  type SpendStoreUnderTest,
} from './spend-store-contract.ts'

let redis: RunningRedis

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis[Symbol.asyncDispose]())

async function start(isUp = true): Promise<SpendStoreUnderTest> {
  await redis.admin.flushall()
  const client = redis.admin.duplicate()
  return {
    store: createRedisSpendStore({ client, keyPrefix: 'tg:', isUp: () => isUp }),
    // One connection answers in order: what was sent before the PING is done when it is answered.
    settled: async () => void (await client.ping()),
    [Symbol.asyncDispose]: async () => void (await client.quit()),
  }
}

describeSpendStore('the Redis store', start)

describe('the Redis store of spend', () => {
  it('makes one trip to reserve and one to settle', async () => {
    await using under = await start()
    reserved(await under.store.reserve(spendDemand())).settle('kept')
    await under.settled()
    await redis.admin.config('RESETSTAT')
    for (let call = 0; call < 10; call++)
      reserved(await under.store.reserve(spendDemand())).settle('released')
    await under.settled()
    const stats = await redis.admin.info('commandstats')
    expect(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1]).toBe('20')
  })

  it('keeps every key in the slot of its tenant, with an end', async () => {
    await using under = await start()
    reserved(await under.store.reserve(spendDemand())).settle('kept')
    const keys = await redis.admin.keys('*')
    expect(keys.sort()).toEqual(['tg:{zyx}:b:issuer:payments:CHG-1', 'tg:{zyx}:s:issuer:payments:2026-11-23'])
    for (const key of keys) expect(await redis.admin.pttl(key)).toBeGreaterThan(0)
  })

  it('leaves no trace of calls that were settled beside the sums', async () => {
    await using under = await start()
    for (const end of ['kept', 'released'] as const)
      reserved(await under.store.reserve(spendDemand())).settle(end)
    await under.settled()
    expect(await redis.admin.hgetall('tg:{zyx}:s:issuer:payments:2026-11-23')).toEqual({ EUR: '1000' })
  })

  it('gives nothing back that a failover has lost already', async () => {
    await using under = await start()
    const lost = reserved(await under.store.reserve(spendDemand()))
    await redis.admin.flushall()
    reserved(await under.store.reserve(spendDemand({ minor: 2_500 })))
    lost.settle('released')
    await under.settled()
    expect(reserved(await under.store.reserve(spendDemand())).dayMinor).toBe(2_500)
  })

  it('refuses at once while the store is down, and refuses what the server will not count', async () => {
    await using down = await start(false)
    expect(down.store.reserve(spendDemand())).toMatchObject({ kind: 'unavailable', retryAfterMs: 1_000 })
    await using under = await start()
    await redis.admin.set('tg:{zyx}:s:issuer:payments:2026-11-23', 'not a hash')
    expect(await under.store.reserve(spendDemand())).toMatchObject({ kind: 'unavailable' })
  })
})
