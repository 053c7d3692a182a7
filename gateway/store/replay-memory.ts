import type { ReplayCheck } from '../exchange.ts'
import type { Clock } from '../lib/clock.ts'
import { ExpiringMap } from './expiring-map.ts'

/**
 * `predates`: the proof was made before this process could have seen it, so nobody here can say that it is unused.
 * `full`: there is no room to remember it.
 */
export type ReplayFinding = 'new' | 'seen' | 'predates' | 'full'

export interface ReplayMemory {
  /** Remembers the proof when it is `new`. */
  check(replay: ReplayCheck): ReplayFinding
}

/** `iat` counts whole seconds, so a proof made right after the start may seem to be a second older. */
const IAT_GRANULARITY_MS = 1_000

/**
 * The proofs that this process has seen, each until it can no longer be valid (RFC 9449 §11.1).
 * `proofLifetimeMs` is the span between `iat` and `expiresAtMs`: `maxAgeMs + maxSkewMs` of the proof check. Where nonces
 * set the end instead, it is one period of the nonce, because `expiresAtMs` is never nearer than that.
 */
export function createReplayMemory(options: {
  readonly clock: Clock
  readonly proofLifetimeMs: number
  readonly capacity: number
}): ReplayMemory {
  const { clock, proofLifetimeMs } = options
  const startedAtMs = clock.nowMs()
  const seen = new ExpiringMap<number>(options.capacity, (expiresAtMs) => expiresAtMs)
  return {
    check({ key, expiresAtMs }) {
      const nowMs = clock.nowMs()
      if (seen.get(key, nowMs) !== undefined) return 'seen'
      if (expiresAtMs - proofLifetimeMs + IAT_GRANULARITY_MS <= startedAtMs) return 'predates'
      if (!seen.hasRoom(key, nowMs)) return 'full'
      seen.set(key, expiresAtMs, nowMs)
      return 'new'
    },
  }
}
