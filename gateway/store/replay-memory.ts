import type { ReplayCheck } from '../caller.ts'
import type { Clock } from '../lib/clock.ts'
import { ExpiringMap } from './expiring-map.ts'

/**
 * `predates`: the proof was made before this process could have seen it, so nobody here can say that it is unused.
 * `crowded`: its key has as many live proofs as one key may have.
 * `full`: there is no room to remember it.
 */
export type ReplayFinding = 'new' | 'seen' | 'predates' | 'crowded' | 'full'

export interface ReplayMemory {
  /** Remembers the proof when it is `new`. */
  check(replay: ReplayCheck): ReplayFinding
}

/** `iat` counts whole seconds, so a proof made right after the start may seem to be a second older. */
const IAT_GRANULARITY_MS = 1_000

/** Of the capacity, for one key: proofs are remembered before any limit is asked, so nothing else holds an agent back. */
const SHARE_OF_ONE_KEY = 1 / 8

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
  const { clock, proofLifetimeMs, capacity } = options
  const startedAtMs = clock.nowMs()
  const mostOfOneKey = Math.ceil(capacity * SHARE_OF_ONE_KEY)
  const proofsByKey = new Map<string, number>()
  const forget = (key: string): void => {
    const owner = ownerOf(key)
    const left = (proofsByKey.get(owner) ?? 1) - 1
    if (left > 0) proofsByKey.set(owner, left)
    else proofsByKey.delete(owner)
  }
  const seen = new ExpiringMap<number>(capacity, (expiresAtMs) => expiresAtMs, forget)
  const isCrowded = (owner: string): boolean => (proofsByKey.get(owner) ?? 0) >= mostOfOneKey
  return {
    check({ key, expiresAtMs }) {
      const nowMs = clock.nowMs()
      if (seen.get(key, nowMs) !== undefined) return 'seen'
      if (expiresAtMs - proofLifetimeMs + IAT_GRANULARITY_MS <= startedAtMs) return 'predates'
      const owner = ownerOf(key)
      if (isCrowded(owner)) {
        seen.clean(nowMs)
        if (isCrowded(owner)) return 'crowded'
      }
      if (!seen.hasRoom(key, nowMs)) return 'full'
      seen.set(key, expiresAtMs, nowMs)
      proofsByKey.set(owner, (proofsByKey.get(owner) ?? 0) + 1)
      return 'new'
    },
  }
}

/** The thumbprint in `jkt:sha256(jti)`. */
function ownerOf(key: string): string {
  return key.slice(0, key.indexOf(':'))
}
