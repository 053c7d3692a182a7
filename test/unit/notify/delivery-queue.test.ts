import { expect, it } from 'vitest'
import { systemClock } from '../../../gateway/lib/clock.ts'
import {
  DeliveryQueue,
  type DeliveryQueueOptions,
  type QueueEvent,
} from '../../../gateway/notify/delivery-queue.ts'
import type { NotifyEvent } from '../../../gateway/notify/event.ts'
import { DeliveryError } from '../../../gateway/notify/target.ts'
import { lockNews } from '../../harness/news.ts'
import { until } from '../../harness/until.ts'

/** A lock by the epoch that tells it apart. */
function numbered(epoch: number): NotifyEvent {
  const { lock } = lockNews()
  return lockNews({ lock: { ...lock, epoch } })
}

function epochOf(event: NotifyEvent): number {
  return 'lock' in event ? event.lock.epoch : -1
}

function open(
  deliver: (event: NotifyEvent, signal: AbortSignal) => Promise<void>,
  more: Partial<DeliveryQueueOptions> = {},
) {
  const seen: QueueEvent[] = []
  const queue = new DeliveryQueue({
    target: { deliver, [Symbol.asyncDispose]: () => Promise.resolve() },
    limitEvents: 100,
    giveUpMs: 60_000,
    clock: systemClock,
    onEvent: (event) => void seen.push(event),
    ...more,
  })
  const ended = (): (readonly [number, string])[] =>
    seen.flatMap((each) => (each.type === 'ended' ? [[epochOf(each.event), each.result] as const] : []))
  return { queue, seen, ended }
}

it('tells of events in their order, and of one only after the other', async () => {
  let underWay = 0
  const { queue, ended } = open(async () => {
    expect((underWay += 1)).toBe(1)
    await new Promise((resolve) => setImmediate(resolve))
    underWay -= 1
  })
  for (const number of [1, 2, 3]) queue.add(numbered(number))
  await queue[Symbol.asyncDispose]()
  expect(ended()).toEqual([
    [1, 'delivered'],
    [2, 'delivered'],
    [3, 'delivered'],
  ])
})

it('does not begin before whoever tells has gone on', async () => {
  let told = false
  const { queue } = open(() => Promise.resolve(void (told = true)))
  queue.add(numbered(1))
  expect(told).toBe(false)
  await queue[Symbol.asyncDispose]()
  expect(told).toBe(true)
})

it('tries again what was not taken, and says once that it works again', async () => {
  let attempts = 0
  const { queue, seen, ended } = open(() => {
    attempts += 1
    return attempts < 3 ? Promise.reject(new DeliveryError('was answered 503', 'later')) : Promise.resolve()
  })
  queue.add(numbered(1))
  await until(() => ended().length === 1)
  expect(seen.map(({ type }) => type)).toEqual(['failed', 'failed', 'recovered', 'ended'])
  await queue[Symbol.asyncDispose]()
})

it('leaves a target alone for as long as it wants to be', async () => {
  const atMs: number[] = []
  const { queue, ended } = open(() => {
    atMs.push(performance.now())
    return atMs.length === 1
      ? Promise.reject(new DeliveryError('was answered 429', 'later', 300))
      : Promise.resolve()
  })
  queue.add(numbered(1))
  await until(() => ended().length === 1)
  expect((atMs[1] ?? 0) - (atMs[0] ?? 0)).toBeGreaterThanOrEqual(295)
  await queue[Symbol.asyncDispose]()
})

it('leaves out what is refused for good, and goes on with the next', async () => {
  const { queue, ended } = open((event) =>
    epochOf(event) === 1 ? Promise.reject(new DeliveryError('was answered 400', 'never')) : Promise.resolve(),
  )
  queue.add(numbered(1))
  queue.add(numbered(2))
  await until(() => ended().length === 2)
  expect(ended()).toEqual([
    [1, 'refused'],
    [2, 'delivered'],
  ])
  await queue[Symbol.asyncDispose]()
})

it('gives up what has waited for too long', async () => {
  let nowMs = 0
  const { queue, ended } = open(
    () => {
      nowMs += 40_000
      return Promise.reject(new DeliveryError('was answered 503', 'later'))
    },
    { clock: { monotonicMs: () => nowMs } },
  )
  queue.add(numbered(1))
  await until(() => ended().length === 1)
  expect(ended()).toEqual([[1, 'given_up']])
  await queue[Symbol.asyncDispose]()
})

it('lets the oldest that waits give way when there is no more room, and counts each', async () => {
  const { promise: gate, resolve: release } = Promise.withResolvers<void>()
  const { queue, ended } = open(() => gate, { limitEvents: 2 })
  queue.add(numbered(1))
  await until(() => queue.state().events === 1)
  for (const number of [2, 3, 4]) queue.add(numbered(number))
  expect(ended()).toEqual([[2, 'overflowed']])
  expect(queue.state().events).toBe(3)
  release()
  await queue[Symbol.asyncDispose]()
  expect(ended().slice(1)).toEqual([
    [1, 'delivered'],
    [3, 'delivered'],
    [4, 'delivered'],
  ])
})

it('does not wait at its end for a target that takes nothing, and counts what is left', async () => {
  const { queue, seen, ended } = open(() =>
    Promise.reject(new DeliveryError('was answered 429', 'later', 60_000)),
  )
  queue.add(numbered(1))
  queue.add(numbered(2))
  await until(() => seen.length > 0)
  const before = performance.now()
  await queue[Symbol.asyncDispose]()
  expect(performance.now() - before).toBeLessThan(1_000)
  expect(ended()).toEqual([
    [1, 'stopped'],
    [2, 'stopped'],
  ])
  queue.add(numbered(3))
  expect(ended()).toHaveLength(3)
})

it('leaves what waits to its successor, in order', async () => {
  const before = open(() => Promise.reject(new DeliveryError('was answered 401', 'later')))
  before.queue.add(numbered(1))
  before.queue.add(numbered(2))
  await until(() => before.seen.length > 0)
  const after = open(() => Promise.resolve())
  await before.queue.close(after.queue)
  await until(() => after.ended().length === 2)
  expect(before.ended()).toEqual([])
  expect(after.ended()).toEqual([
    [1, 'delivered'],
    [2, 'delivered'],
  ])
  await after.queue[Symbol.asyncDispose]()
})

it('takes a thrown fault of a target for a failure, not for its end', async () => {
  let attempts = 0
  const { queue, ended } = open(() => {
    attempts += 1
    if (attempts === 1) throw new TypeError('no such secret')
    return Promise.resolve()
  })
  queue.add(numbered(1))
  await until(() => ended().length === 1)
  expect(ended()).toEqual([[1, 'delivered']])
  await queue[Symbol.asyncDispose]()
})
