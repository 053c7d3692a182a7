import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Redis } from 'ioredis'
import type { Lock } from '../../../gateway/locks/lock.ts'
import { createRedisClient } from '../../../gateway/store/redis-client.ts'
import { createRedisLockStore } from '../../../gateway/store/redis-lock-store.ts'
import { type RunningRedis, startRedis } from '../../harness/redis.ts'
import { until } from '../../harness/until.ts'
import { aLock } from '../locks/a-lock.ts'
import { describeLockStore, Knowing, type LockStoreUnderTest } from './lock-store-contract.ts'

let redis: RunningRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis[Symbol.asyncDispose]())

const restored: Lock[] = []
beforeEach(() => {
  restored.length = 0
})

interface Opened extends LockStoreUnderTest {
  readonly listener: Redis
}

async function open(replicas = 0): Promise<Opened> {
  const settings = {
    url: redis.url,
    password: undefined,
    sentinels: [],
    sentinelName: undefined,
    timeoutMs: 1_000,
    caFile: undefined,
  }
  const [client, listener] = [createRedisClient(settings, () => {}), createRedisClient(settings, () => {})]
  const knowing = new Knowing()
  const store = createRedisLockStore({
    client,
    listener,
    keyPrefix: 'tg:',
    replicas,
    follower: knowing,
    events: { restored: (locks) => void restored.push(...locks), failed: () => {} },
  })
  await until(() => client.status === 'ready' && listener.status === 'ready')
  return {
    store,
    knowing,
    listener,
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]()
      for (const each of [client, listener]) each.disconnect()
    },
  }
}

const clear = async (): Promise<void> => void (await redis.admin.flushall())

describeLockStore('locks in Redis', open, clear)

describe('locks in Redis', () => {
  it('lie in one slot of a cluster', async () => {
    await clear()
    await using mine = await open()
    const lock = aLock('all')
    await mine.store.add(lock)
    await mine.store.add(aLock('writes'))
    await mine.store.remove(lock.id)
    const keys = (await redis.admin.keys('*')).sort()
    expect(keys).toEqual(['tg:{control}:locks', 'tg:{control}:locks:ended', 'tg:{control}:locks:head'])
  })

  it('that a server has forgotten are given to it again, by those who know them', async () => {
    await clear()
    await using mine = await open()
    await using theirs = await open()
    await mine.store.add(aLock('all'))
    await mine.store.add(aLock('task:over', { expiresAtMs: Date.now() + 50 }))
    await until(() => theirs.knowing.scopes.length === 2)
    const { epoch } = mine.knowing.snapshot
    await until(() => Date.now() > (mine.knowing.snapshot.locks.at(-1)?.expiresAtMs ?? 0))
    await clear()
    await until(() => restored.length > 0)
    await using later = await open()
    await until(() => later.knowing.heardTimes > 0)
    expect(later.knowing.scopes).toEqual(['all'])
    expect(later.knowing.snapshot.epoch).toBeGreaterThan(epoch)
    await until(() => mine.knowing.snapshot.epoch === theirs.knowing.snapshot.epoch)
    expect(restored.map(({ scope }) => scope.kind)).toEqual(['all'])
  })

  it('that ended while a gateway was away do not come back with it', async () => {
    await clear()
    await using mine = await open()
    const lock = aLock('all')
    await mine.store.add(lock)
    const theirs = await open()
    await until(() => theirs.knowing.scopes.length === 1)
    theirs.listener.disconnect()
    await mine.store.remove(lock.id)
    await until(() => theirs.knowing.scopes.length === 0)
    await theirs[Symbol.asyncDispose]()
    expect(restored).toEqual([])
    expect(await redis.admin.hlen('tg:{control}:locks')).toBe(0)
  })

  it('are found by asking where the message is lost, and the deaf connection is made anew', async () => {
    await clear()
    await using mine = await open()
    await using theirs = await open()
    await theirs.listener.unsubscribe()
    await mine.store.add(aLock('all'))
    const startedMs = performance.now()
    await until(() => theirs.knowing.scopes.length === 1)
    expect(performance.now() - startedMs).toBeLessThan(1_000)
    await until(async () => {
      const [, listeners] = (await redis.admin.pubsub('NUMSUB', 'tg:{control}:locks')) as [string, number]
      return listeners === 2
    })
  })

  it('hold at once in the process that sets them while the server is away, and everywhere when it is back', async () => {
    await clear()
    await using mine = await open()
    await using theirs = await open()
    await until(() => mine.knowing.heardTimes > 0)
    redis.pause()
    const adding = mine.store.add(aLock('agent:runaway'))
    expect(mine.knowing.scopes).toEqual(['agent:runaway'])
    expect(await adding).toEqual({ kind: 'added', shared: false, witnessed: false })
    await expect(mine.store.remove(aLock('all').id)).rejects.toThrow('')
    redis.resume()
    await until(() => theirs.knowing.scopes.length === 1)
    expect(restored).toEqual([])
  })

  it('are not witnessed where there is no replica that there should be', async () => {
    await clear()
    await using mine = await open(1)
    expect(await mine.store.add(aLock('all'))).toEqual({ kind: 'added', shared: true, witnessed: false })
  })

  it('are witnessed once a replica has them', async () => {
    await clear()
    await using replica = await startRedis({ args: ['--replicaof', `127.0.0.1 ${String(redis.port)}`] })
    await until(async () => (await redis.admin.wait(1, 1_000)) === 1)
    await using mine = await open(1)
    // A replica that has just come up may take longer than a lock waits for it.
    await until(async () => {
      const added = await mine.store.add(aLock('all'))
      return added.kind === 'added' && added.witnessed
    })
    expect(await replica.admin.hlen('tg:{control}:locks')).toBeGreaterThan(0)
  })
})
