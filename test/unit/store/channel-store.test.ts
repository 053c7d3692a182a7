import { describe, expect, it } from 'vitest'
import type { ChannelStore } from '../../../gateway/store/channel-store.ts'
import { openControlFile } from '../../../gateway/store/control-file.ts'
import { createEmbeddedChannelStore } from '../../../gateway/store/embedded-channel-store.ts'
import { createRedisChannelStore } from '../../../gateway/store/redis-channel-store.ts'
import { createRedisClient } from '../../../gateway/store/redis-client.ts'
import { startRedis } from '../../harness/redis.ts'
import { temporaryDirectory } from '../../harness/temporary-directory.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'
import { until } from '../../harness/until.ts'

interface UnderTest extends AsyncDisposable {
  readonly one: ChannelStore
  readonly other: ChannelStore
  /** Where time is ours, so much of it passes. */
  pass(ms: number): void
}

async function embedded(): Promise<UnderTest> {
  await using stack = new AsyncDisposableStack()
  const directory = stack.use(await temporaryDirectory())
  const clock = virtualClock()
  const open = (): ChannelStore => {
    const file = openControlFile({ path: `${directory.path}/control.db`, onFailure: () => undefined })
    return createEmbeddedChannelStore({ file: stack.use(file), clock })
  }
  const [one, other] = [open(), open()]
  const owned = stack.move()
  return {
    one,
    other,
    pass: (ms) => clock.advance(ms),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function redis(): Promise<UnderTest> {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startRedis())
  const open = async (): Promise<ChannelStore> => {
    const client = createRedisClient(
      {
        url: server.url,
        password: undefined,
        sentinels: [],
        sentinelName: undefined,
        timeoutMs: 5_000,
        caFile: undefined,
      },
      () => undefined,
    )
    stack.defer(() => client.disconnect())
    await until(() => client.status === 'ready')
    return createRedisChannelStore({ client, keyPrefix: 'toolgate:' })
  }
  const [one, other] = [await open(), await open()]
  const owned = stack.move()
  return {
    one,
    other,
    pass: () => undefined,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

describe.each([
  ['embedded', embedded],
  ['redis', redis],
])('what channels remember, %s', (_, open) => {
  it('gives a claim to one of all who ask', async () => {
    await using store = await open()
    const asked = await Promise.all(
      Array.from({ length: 20 }, (_each, index) =>
        (index % 2 === 0 ? store.one : store.other).claim('a', 60_000),
      ),
    )
    expect(asked.filter(Boolean)).toHaveLength(1)
    expect(await store.other.claim('b', 60_000)).toBe(true)
  })

  it('lets a key be claimed again when its time is over, and no sooner', async () => {
    await using store = await open()
    expect(await store.one.claim('short', 100)).toBe(true)
    expect(await store.one.claim('long', 60_000)).toBe(true)
    store.pass(100)
    await until(() => store.other.claim('short', 60_000))
    expect(await store.other.claim('long', 60_000)).toBe(false)
  })

  it('lets a key that was given back be claimed again', async () => {
    await using store = await open()
    await store.one.claim('a', 60_000)
    await store.other.release('a')
    expect(await store.one.claim('a', 60_000)).toBe(true)
  })

  it('has once what was said twice, under its own key', async () => {
    await using store = await open()
    await store.one.remember('a', 'C1 1.1', 60_000)
    await store.one.remember('a', 'C1 1.1', 60_000)
    await store.other.remember('a', 'C2 2.2', 60_000)
    expect([...(await store.other.recall('a'))].sort()).toEqual(['C1 1.1', 'C2 2.2'])
    expect(await store.one.recall('b')).toEqual([])
  })

  it('forgets all of it when the time of what was said last is over', async () => {
    await using store = await open()
    await store.one.remember('a', 'C1 1.1', 60_000)
    await store.other.remember('a', 'C2 2.2', 100)
    store.pass(100)
    await until(async () => (await store.one.recall('a')).length === 0)
    expect(await store.other.recall('a')).toEqual([])
  })
})
