import type { Clock } from '../lib/clock.ts'
import { once } from '../lib/once.ts'
import { UNAVAILABLE_RETRY_MS } from './admission-store.ts'
import { ExpiringMap } from './expiring-map.ts'
import {
  DAY_SPEND_TTL_MS,
  MOST_MINOR,
  type SpendAnswer,
  type SpendDemand,
  type SpendStore,
  TASK_SPEND_TTL_MS,
} from './spend-store.ts'

export interface EmbeddedSpendStore extends SpendStore {
  reserve(demand: SpendDemand): SpendAnswer
}

interface Sum {
  readonly minor: number
  readonly endsAtMs: number
}

/** Sums by days, and sums by tasks, each; about 20 MB when all of it is in use. */
const CAPACITY = 100_000

/** Spend of one node in its own memory; full of live sums it closes, and never forgets one to make room. */
export function createEmbeddedSpendStore({
  clock,
  capacity = CAPACITY,
}: {
  readonly clock: Clock
  readonly capacity?: number
}): EmbeddedSpendStore {
  const days = new ExpiringMap<Sum>(capacity, ({ endsAtMs }) => endsAtMs)
  const tasks = new ExpiringMap<Sum>(capacity, ({ endsAtMs }) => endsAtMs)

  return {
    reserve: (demand) => {
      const { tag, agent, task, day, currency, minor } = demand
      const nowMs = clock.nowMs()
      const places: readonly (readonly [ExpiringMap<Sum>, string, number])[] = [
        [days, `${tag}:${agent}:${day}:${currency}`, DAY_SPEND_TTL_MS],
        ...(task === '' ? [] : [[tasks, `${tag}:${agent}:${task}:${currency}`, TASK_SPEND_TTL_MS] as const]),
      ]
      const sums: number[] = []
      for (const [sumsOf, key] of places) {
        const held = sumsOf.get(key, nowMs)?.minor ?? 0
        if (!sumsOf.hasRoom(key, nowMs)) return unavailable('the sums are full')
        if (held + minor > MOST_MINOR) return unavailable('the sum is too large to be exact')
        sums.push(held)
      }
      const add = (addedMinor: number, atMs: number): void => {
        for (const [sumsOf, key, ttlMs] of places) {
          const held = sumsOf.get(key, atMs)
          // A sum that has lapsed meanwhile has nothing to give back.
          if (held === undefined && addedMinor < 0) continue
          const total = Math.max(0, (held?.minor ?? 0) + addedMinor)
          sumsOf.set(key, { minor: total, endsAtMs: atMs + ttlMs }, atMs)
        }
      }
      add(minor, nowMs)
      return {
        kind: 'reserved',
        dayMinor: sums[0] ?? 0,
        taskMinor: sums[1] ?? 0,
        settle: once((end) => {
          if (end === 'released') add(-minor, clock.nowMs())
        }),
      }
    },
  }
}

function unavailable(reason: string): SpendAnswer {
  return { kind: 'unavailable', retryAfterMs: UNAVAILABLE_RETRY_MS, cause: new Error(reason) }
}
