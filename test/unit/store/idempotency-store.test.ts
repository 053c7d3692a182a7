import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CallId } from '../../../gateway/exchange.ts'
import { createEmbeddedIdempotencyStore } from '../../../gateway/store/embedded-idempotency-store.ts'
import {
  type IdempotencyStore,
  KEY_TTL_MS,
  type KeyAnswer,
  type KeyUse,
} from '../../../gateway/store/idempotency-store.ts'
import { createRedisIdempotencyStore } from '../../../gateway/store/redis-idempotency-store.ts'
import { type RunningRedis, startRedis } from '../../harness/redis.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

interface UnderTest extends AsyncDisposable {
  readonly store: IdempotencyStore
  /** Resolves once every settlement so far has arrived. */
  settled(): Promise<void>
}

let redis: RunningRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis[Symbol.asyncDispose]())

async function startRedisStore(isUp = true): Promise<UnderTest> {
  await redis.admin.flushall()
  const client = redis.admin.duplicate()
  return {
    store: createRedisIdempotencyStore({ client, keyPrefix: 'tg:', isUp: () => isUp }),
    settled: async () => void (await client.ping()),
    [Symbol.asyncDispose]: async () => void (await client.quit()),
  }
}

function startEmbedded(): Promise<UnderTest> {
  return Promise.resolve({
    store: createEmbeddedIdempotencyStore({ clock: virtualClock() }),
    settled: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  })
}

function use(more: Partial<KeyUse> = {}): KeyUse {
  return {
    callId: randomUUID() as CallId,
    tag: '{zyx}',
    agent: 'issuer:payments',
    key: 'k1',
    fingerprint: 'pay 100',
    ...more,
  }
}

function claimed(answer: KeyAnswer): Extract<KeyAnswer, { kind: 'claimed' }> {
  if (answer.kind === 'claimed') return answer
  throw new Error(`not claimed: ${answer.kind}`)
}

describe.each([
  ['the embedded store', startEmbedded],
  ['the Redis store', startRedisStore],
])('a key in %s', (_, start) => {
  it('is one call of twenty at once', async () => {
    await using under = await start()
    const answers = await Promise.all(Array.from({ length: 20 }, async () => under.store.claim(use())))
    expect(answers.map(({ kind }) => kind).sort()).toEqual([
      'claimed',
      ...Array.from({ length: 19 }, () => 'in_flight'),
    ])
  })

  it('is done with the call that was made, which is named', async () => {
    await using under = await start()
    const first = use()
    claimed(await under.store.claim(first)).settle('done')
    await under.settled()
    expect(await under.store.claim(use())).toEqual({ kind: 'done', callId: first.callId })
  })

  it('is free again after a call that was not made', async () => {
    await using under = await start()
    claimed(await under.store.claim(use())).settle('released')
    await under.settled()
    expect(await under.store.claim(use({ fingerprint: 'pay 200' }))).toMatchObject({ kind: 'claimed' })
  })

  it('stays with the first end that was told', async () => {
    await using under = await start()
    const answer = claimed(await under.store.claim(use()))
    answer.settle('done')
    answer.settle('released')
    await under.settled()
    expect((await under.store.claim(use())).kind).toBe('done')
  })

  it('is good for nothing else, under way or done', async () => {
    await using under = await start()
    const answer = claimed(await under.store.claim(use()))
    expect((await under.store.claim(use({ fingerprint: 'pay 200' }))).kind).toBe('mismatch')
    answer.settle('done')
    await under.settled()
    expect((await under.store.claim(use({ fingerprint: 'pay 200' }))).kind).toBe('mismatch')
  })

  it('is nothing to another agent, or another tenant', async () => {
    await using under = await start()
    claimed(await under.store.claim(use()))
    for (const other of [{ agent: 'issuer:reports' }, { tag: '{other}' }, { key: 'k2' }])
      expect((await under.store.claim(use(other))).kind).toBe('claimed')
  })
})

describe('the embedded store of keys', () => {
  it('forgets a key a day after its call, and refuses new ones rather than forget one that is in use', async () => {
    const clock = virtualClock()
    const store = createEmbeddedIdempotencyStore({ clock, capacity: 2 })
    claimed(await store.claim(use({ key: 'a' }))).settle('done')
    claimed(await store.claim(use({ key: 'b' })))
    expect((await store.claim(use({ key: 'c' }))).kind).toBe('unavailable')
    clock.advance(KEY_TTL_MS)
    expect((await store.claim(use({ key: 'c' }))).kind).toBe('claimed')
    expect((await store.claim(use({ key: 'a' }))).kind).toBe('claimed')
  })
})

describe('the Redis store of keys', () => {
  it('asks nothing of a server that is down, and claims nothing', async () => {
    await using under = await startRedisStore(false)
    expect((await under.store.claim(use())).kind).toBe('unavailable')
  })

  it('keeps every key in the slot of its tenant, with an end', async () => {
    await using under = await startRedisStore()
    claimed(await under.store.claim(use())).settle('done')
    await under.settled()
    const keys = await redis.admin.keys('*')
    expect(keys).toEqual(['tg:{zyx}:k:issuer:payments:k1'])
    expect(await redis.admin.pttl(keys[0] ?? '')).toBeGreaterThan(KEY_TTL_MS - 60_000)
  })
})
