import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { createEmbeddedSpendStore } from '../../../gateway/store/embedded-spend-store.ts'
import { createRedisSpendStore } from '../../../gateway/store/redis-spend-store.ts'
import type { SpendStore } from '../../../gateway/store/spend-store.ts'
import { startRedis } from '../../harness/redis.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'
import { reserved, spendDemand, type Reserved } from './spend-store-contract.ts'

/** A reservation, or the end of the `nth` one before. */
const step = fc.oneof(
  fc.record({
    agent: fc.constantFrom('issuer:one', 'issuer:two'),
    task: fc.constantFrom('', 'CHG-1', 'CHG-2'),
    day: fc.constantFrom('2026-11-23', '2026-11-24'),
    currency: fc.constantFrom('EUR', 'JPY'),
    minor: fc.oneof(fc.nat(5_000), fc.nat(999_999_999_999)),
  }),
  fc.record({ nth: fc.nat(20), end: fc.constantFrom('kept' as const, 'released' as const) }),
)

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** Sums as a list of what is counted, added up anew each time. */
class Model {
  readonly #counted: { key: string; minor: bigint; settled: boolean }[] = []

  sum(key: string): number {
    return Number(this.#counted.filter((one) => one.key === key).reduce((sum, { minor }) => sum + minor, 0n))
  }

  add(key: string, minor: number): (end: 'kept' | 'released') => void {
    const one = { key, minor: BigInt(minor), settled: false }
    this.#counted.push(one)
    return (end) => {
      if (end === 'released' && !one.settled) one.minor = 0n
      one.settled = true
    }
  }
}

async function follow(
  store: SpendStore,
  steps: readonly Step[],
  settled: () => Promise<unknown>,
): Promise<void> {
  const model = new Model()
  const calls: {
    readonly call: Reserved
    readonly settleModel: readonly ((end: 'kept' | 'released') => void)[]
  }[] = []
  for (const one of steps) {
    if ('nth' in one) {
      const ended = calls[one.nth % Math.max(1, calls.length)]
      ended?.call.settle(one.end)
      for (const settle of ended?.settleModel ?? []) settle(one.end)
      continue
    }
    await settled()
    const call = reserved(await store.reserve(spendDemand(one)))
    const ofDay = `${one.agent} ${one.day} ${one.currency}`
    const ofTask = `${one.agent} ${one.task} ${one.currency}`
    expect(call.dayMinor).toBe(model.sum(ofDay))
    expect(call.taskMinor).toBe(one.task === '' ? 0 : model.sum(ofTask))
    const places = one.task === '' ? [ofDay] : [ofDay, ofTask]
    calls.push({ call, settleModel: places.map((key) => model.add(key, one.minor)) })
  }
}

it('both stores sum every sequence of reservations and ends as a list of them does', async () => {
  await using redis = await startRedis()
  const client = redis.admin.duplicate()
  const shared = createRedisSpendStore({ client, keyPrefix: 'tg:', isUp: () => true })
  const sequences = fc.array(step, { minLength: 1, maxLength: 60, size: 'max' })
  try {
    const alike = fc.asyncProperty(sequences, async (steps) => {
      await redis.admin.flushall()
      await follow(createEmbeddedSpendStore({ clock: virtualClock() }), steps, () => Promise.resolve())
      await follow(shared, steps, () => client.ping())
    })
    await expect(fc.assert(alike, { numRuns: 40 })).resolves.toBeUndefined()
  } finally {
    await client.quit()
  }
}, 60_000)
