import type { Clock } from '../lib/clock.ts'
import { once } from '../lib/once.ts'
import { UNAVAILABLE_RETRY_MS } from './admission-store.ts'
import { ExpiringMap } from './expiring-map.ts'
import { type IdempotencyStore, KEY_TTL_MS, type KeyAnswer } from './idempotency-store.ts'

interface Used {
  readonly fingerprint: string
  readonly callId: string
  readonly isDone: boolean
  readonly endsAtMs: number
}

/** About 30 MB when all of it is in use. */
const CAPACITY = 100_000

/** Keys of one node in its own memory, forgotten when it ends; full of live ones it closes. */
export function createEmbeddedIdempotencyStore({
  clock,
  capacity = CAPACITY,
}: {
  readonly clock: Pick<Clock, 'nowMs'>
  readonly capacity?: number
}): IdempotencyStore {
  const keys = new ExpiringMap<Used>(capacity, ({ endsAtMs }) => endsAtMs)
  return {
    claim({ callId, tag, agent, key, fingerprint }): KeyAnswer {
      const place = `${tag}:${agent}:${key}`
      const nowMs = clock.nowMs()
      const used = keys.get(place, nowMs)
      if (used !== undefined) {
        if (used.fingerprint !== fingerprint) return { kind: 'mismatch' }
        return used.isDone ? { kind: 'done', callId: used.callId } : { kind: 'in_flight' }
      }
      if (!keys.hasRoom(place, nowMs)) {
        const cause = new Error('the keys are full')
        return { kind: 'unavailable', retryAfterMs: UNAVAILABLE_RETRY_MS, cause }
      }
      keys.set(place, { fingerprint, callId, isDone: false, endsAtMs: nowMs + KEY_TTL_MS }, nowMs)
      return {
        kind: 'claimed',
        settle: once((end) => {
          const atMs = clock.nowMs()
          const endsAtMs = end === 'done' ? atMs + KEY_TTL_MS : atMs
          keys.set(place, { fingerprint, callId, isDone: end === 'done', endsAtMs }, atMs)
        }),
      }
    },
  }
}
