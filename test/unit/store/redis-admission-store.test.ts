import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../gateway/lib/clock.ts'
import { createRedisAdmissionStore } from '../../../gateway/store/redis-admission-store.ts'
import { createRedisClient } from '../../../gateway/store/redis-client.ts'
import { type RunningRedis, startRedis } from '../../harness/redis.ts'
import { until } from '../../harness/until.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'
import { setVirtualTime, virtualTimeScripts } from '../../harness/virtual-redis.ts'
import { admissionDemand, admitted, places, proof, rate, SUCCEEDED } from './admission-demand.ts'
import { describeAdmissionStore } from './admission-store-contract.ts'
import type { StoreUnderTest } from './admission-store-under-test.ts'

let redis: RunningRedis

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis[Symbol.asyncDispose]())

const clientOptions = (): Parameters<typeof createRedisClient>[0] => ({
  url: redis.url,
  password: undefined,
  sentinels: [],
  sentinelName: undefined,
  timeoutMs: 2_000,
  caFile: undefined,
})

async function connect(): Promise<ReturnType<typeof createRedisClient>> {
  const client = createRedisClient(clientOptions(), () => {})
  await until(() => client.status === 'ready')
  return client
}

async function start(): Promise<StoreUnderTest> {
  await redis.admin.flushall()
  const clock = virtualClock()
  const client = await connect()
  const store = createRedisAdmissionStore({ client, keyPrefix: 'tg:', clock, scripts: virtualTimeScripts() })
  await setVirtualTime(redis.admin, clock.nowMs())
  return {
    admit: (demand) => store.admit(demand),
    // One connection answers in order: what was sent before the PING is done when it is answered.
    settled: async () => void (await client.ping()),
    advance: async (ms) => {
      clock.advance(ms)
      await setVirtualTime(redis.admin, clock.nowMs())
    },
    nowMs: () => clock.nowMs(),
    [Symbol.asyncDispose]: () => store.close(),
  }
}

/** One gateway of a fleet at an empty Redis, by the clock of both. */
async function startGateway() {
  await redis.admin.flushall()
  const client = await connect()
  const store = createRedisAdmissionStore({ client, keyPrefix: 'tg:', clock: systemClock })
  return { client, store, [Symbol.asyncDispose]: () => store.close() }
}

describeAdmissionStore('the Redis store', start)

describe('the Redis store, between gateways', () => {
  it('makes one trip per admission and one per settlement', async () => {
    await using gateway = await startGateway()
    const { client, store } = gateway
    const demand = (): ReturnType<typeof admissionDemand> =>
      admissionDemand({
        replay: proof(Date.now()),
        rates: [rate('a', 100), rate('b', 100)],
        concurrency: [places('c', 9)],
      })
    admitted(await store.admit(demand())).settle(SUCCEEDED)
    await client.ping()
    await redis.admin.config('RESETSTAT')
    for (let call = 0; call < 10; call++) admitted(await store.admit(demand())).settle(SUCCEEDED)
    await client.ping()
    const stats = await redis.admin.info('commandstats')
    expect(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1]).toBe('20')
    expect(stats).not.toContain('cmdstat_eval:')
  })

  it('keeps every key of a tenant in the slot of its tag, with an end', async () => {
    await using gateway = await startGateway()
    const { store } = gateway
    const demand = admissionDemand({
      replay: proof(Date.now()),
      task: 'CHG-1',
      access: 'write',
      rates: [rate('a', 100)],
      concurrency: [places('c', 9)],
    })
    admitted(await store.admit(demand)).settle(SUCCEEDED)
    admitted(await store.admit({ ...demand, replay: proof(Date.now()) }))
    const keys = await redis.admin.keys('*')
    expect(keys).toHaveLength(9)
    for (const key of keys) {
      expect(key).toMatch(/^tg:\{zyx\}:/)
      expect(await redis.admin.pttl(key)).toBeGreaterThan(0)
    }
  })

  it('gives what an agent did lately an end again after all of it was taken back', async () => {
    await using gateway = await startGateway()
    const { client, store } = gateway
    const demand = admissionDemand({})
    admitted(await store.admit(demand)).settle({ ...SUCCEEDED, forwarded: false, succeeded: false })
    await client.ping()
    expect(await redis.admin.keys('tg:*:h:*')).toEqual([])
    admitted(await store.admit(demand))
    const [recent = ''] = await redis.admin.keys('tg:*:h:*')
    expect(await redis.admin.pttl(recent)).toBeGreaterThan(3_600_000)
  })

  it('keeps what an agent did lately for an hour from the end of a call that took long', async () => {
    await using gateway = await startGateway()
    const { client, store } = gateway
    const demand = admissionDemand({})
    const lease = admitted(await store.admit(demand))
    const [recent = ''] = await redis.admin.keys('tg:*:h:*')
    const begunUs = (Date.now() - 3_500_000) * 1_000
    await redis.admin.hset(recent, demand.operation, `${String(begunUs)} 0 1`)
    await redis.admin.pexpire(recent, 60_000)
    lease.settle(SUCCEEDED)
    await client.ping()
    expect(await redis.admin.pttl(recent)).toBeGreaterThan(3_600_000)
  })

  it('keeps a proof longer than it is valid, by the difference that the clocks of a fleet may have', async () => {
    await using gateway = await startGateway()
    const { store } = gateway
    const replay = proof(Date.now())
    admitted(await store.admit(admissionDemand({ replay })))
    expect(await redis.admin.pttl(`tg:{zyx}:p:${replay.key}`)).toBeGreaterThan(70_000)
  })
})
