import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEmbeddedSightingStore } from '../../../gateway/store/embedded-sighting-store.ts'
import { createRedisSightingStore } from '../../../gateway/store/redis-sighting-store.ts'
import type { SightingKey, SightingStore } from '../../../gateway/store/sighting-store.ts'
import { type RunningRedis, startRedis } from '../../harness/redis.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

let redis: RunningRedis

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis[Symbol.asyncDispose]())

const KEY: SightingKey = { tag: '{zyx}', name: 'denials_repeated:agent', isProven: true }
const BOUNDS = { threshold: 3, windowMs: 60_000 }
const COUNTED = { kind: 'counted' }

interface UnderTest extends AsyncDisposable {
  readonly store: SightingStore
  /** Lets so much time pass. */
  pass(ms: number): Promise<void>
}

function startEmbedded(): UnderTest {
  const clock = virtualClock()
  return {
    store: createEmbeddedSightingStore({ clock }),
    pass: async (ms) => clock.advance(ms),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** Redis has a clock of its own, so what is kept grows older instead. */
async function startShared(): Promise<UnderTest> {
  await redis.admin.flushall()
  const client = redis.admin.duplicate()
  const clock = virtualClock()
  return {
    store: createRedisSightingStore({
      client,
      keyPrefix: 'tg:',
      clock,
      local: createEmbeddedSightingStore({ clock }),
    }),
    async pass(ms) {
      clock.advance(ms)
      for (const key of await redis.admin.keys('tg:*:d:*')) {
        const kept = JSON.parse((await redis.admin.get(key)) ?? '') as { quiet: number; at: number[] }
        const older = { ...kept, quiet: kept.quiet - ms, at: Object.values(kept.at).map((at) => at - ms) }
        await redis.admin.set(key, JSON.stringify(older), 'KEEPTTL')
      }
    },
    [Symbol.asyncDispose]: async () => void (await client.quit()),
  }
}

async function commandsOf(name: string): Promise<number> {
  const [, calls = '0'] =
    new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(await redis.admin.info('commandstats')) ?? []
  return Number(calls)
}

describe.each([
  ['memory', startEmbedded],
  ['Redis', startShared],
])('sightings in %s', (_name, start: () => UnderTest | Promise<UnderTest>) => {
  it('raises with the last that the threshold wants, and not before', async () => {
    await using under = await start()
    const { store } = under
    expect(await store.see(KEY, BOUNDS)).toEqual(COUNTED)
    expect(await store.see(KEY, BOUNDS)).toEqual(COUNTED)
    expect(await store.see(KEY, BOUNDS)).toEqual({ kind: 'raised', count: 3, suppressed: 0 })
  })

  it('counts nothing that is older than the window', async () => {
    await using under = await start()
    const { store, pass } = under
    await store.see(KEY, BOUNDS)
    await pass(40_000)
    await store.see(KEY, BOUNDS)
    await pass(40_000)
    expect(await store.see(KEY, BOUNDS)).toEqual(COUNTED)
    expect(await store.see(KEY, BOUNDS)).toMatchObject({ kind: 'raised' })
  })

  it('raises once in a window, and says with the next how many it said nothing of', async () => {
    await using under = await start()
    const { store, pass } = under
    const once = { threshold: 1, windowMs: 60_000 }
    expect(await store.see(KEY, once)).toEqual({ kind: 'raised', count: 1, suppressed: 0 })
    for (let more = 0; more < 4; more += 1) expect(await store.see(KEY, once)).toEqual(COUNTED)
    await pass(60_001)
    expect(await store.see(KEY, once)).toEqual({ kind: 'raised', count: 1, suppressed: 4 })
    await pass(60_001)
    expect(await store.see(KEY, once)).toEqual({ kind: 'raised', count: 1, suppressed: 0 })
  })

  it('keeps subjects apart', async () => {
    await using under = await start()
    const { store } = under
    for (const name of ['a', 'b', 'c'])
      expect(await store.see({ ...KEY, name }, { ...BOUNDS, threshold: 2 })).toEqual(COUNTED)
    expect(await store.see({ ...KEY, name: 'b' }, { ...BOUNDS, threshold: 2 })).toMatchObject({ count: 2 })
    expect(await store.see({ ...KEY, tag: '{other}', name: 'a' }, { ...BOUNDS, threshold: 2 })).toEqual(
      COUNTED,
    )
  })

  it('remembers what came first', async () => {
    await using under = await start()
    const { store } = under
    expect(await store.first(KEY, '192.0.2.1', 60_000)).toBe('192.0.2.1')
    expect(await store.first(KEY, '192.0.2.2', 60_000)).toBe('192.0.2.1')
    expect(await store.first({ ...KEY, name: 'other' }, '192.0.2.2', 60_000)).toBe('192.0.2.2')
  })
})

it('two gateways count the same subject together in Redis', async () => {
  await using one = await startShared()
  await using other = await startShared()
  await one.store.see(KEY, BOUNDS)
  await other.store.see(KEY, BOUNDS)
  expect(await one.store.see(KEY, BOUNDS)).toMatchObject({ kind: 'raised', count: 3 })
  expect(await other.store.see(KEY, BOUNDS)).toEqual(COUNTED)
})

it('asks Redis nothing of a subject that is quiet, whoever made it so', async () => {
  await using one = await startShared()
  await using other = await startShared()
  const once = { threshold: 1, windowMs: 60_000 }
  await one.store.see(KEY, once)
  await other.store.see(KEY, once)
  const before = await commandsOf('evalsha')
  for (let more = 0; more < 100; more += 1) {
    await one.store.see(KEY, once)
    await other.store.see(KEY, once)
  }
  expect(await commandsOf('evalsha')).toBe(before)
})

it('tells of what several gateways kept from Redis once the subject is quiet no longer', async () => {
  await using one = await startShared()
  await using other = await startShared()
  const once = { threshold: 1, windowMs: 60_000 }
  await one.store.see(KEY, once)
  for (let more = 0; more < 5; more += 1) await other.store.see(KEY, once)
  for (let more = 0; more < 7; more += 1) await one.store.see(KEY, once)
  await one.pass(60_001)
  await other.pass(0)
  // The first of the other's five was its question to Redis, which knows of it.
  expect(await one.store.see(KEY, once)).toEqual({ kind: 'raised', count: 1, suppressed: 8 })
  await other.pass(60_001)
  expect(await other.store.see(KEY, once)).toEqual({ kind: 'raised', count: 1, suppressed: 4 })
})

it('what Redis keeps of a subject ends by itself, and is bounded by the threshold', async () => {
  await using under = await startShared()
  for (let more = 0; more < 50; more += 1) await under.store.see(KEY, { threshold: 1_000, windowMs: 60_000 })
  const [key = ''] = await redis.admin.keys('tg:*')
  expect(await redis.admin.pttl(key)).toBeGreaterThan(60_000)
  expect((await redis.admin.get(key))?.length).toBeLessThan(50 * 20)
})

it('a process counts alone while Redis is away', async () => {
  const client = redis.admin.duplicate({ lazyConnect: true, enableOfflineQueue: false })
  client.disconnect()
  const clock = virtualClock()
  const local = createEmbeddedSightingStore({ clock })
  const store = createRedisSightingStore({ client, keyPrefix: 'tg:', clock, local })
  expect(await store.see(KEY, { threshold: 1, windowMs: 60_000 })).toMatchObject({ kind: 'raised' })
  expect(await store.first(KEY, 'here', 60_000)).toBe('here')
})

it('whoever makes up addresses takes no room from agents, and grows nothing beyond its bound', async () => {
  const clock = virtualClock()
  const store = createEmbeddedSightingStore({ clock, capacity: 100 })
  const once = { threshold: 1, windowMs: 60_000 }
  for (let peer = 0; peer < 1_000; peer += 1)
    await store.see({ tag: '{%peers}', name: String(peer), isProven: false }, once)
  expect(await store.see({ ...KEY, name: 'new' }, once)).toMatchObject({ kind: 'raised' })
  // Full of live ones: a new address is not counted until one of them has ended.
  const last = { tag: '{%peers}', name: 'last', isProven: false }
  expect(await store.see(last, once)).toEqual(COUNTED)
  clock.advance(120_001)
  expect(await store.see(last, once)).toMatchObject({ kind: 'raised' })
})
