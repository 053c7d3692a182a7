import type { CallId } from '../exchange.ts'

/** One use of an `Idempotency-Key`. */
export interface KeyUse {
  readonly callId: CallId
  /** Hash tag `{tenant}`, encoded. */
  readonly tag: string
  /** Issuer and agent id, encoded: keys of one agent are nothing to another. */
  readonly agent: string
  /** Digest of the key, which is the agent's to choose and of any length. */
  readonly key: string
  /** Digest of what is to be done. */
  readonly fingerprint: string
}

export type KeyAnswer =
  | {
      readonly kind: 'claimed'
      /** `done` keeps the key used, because the upstream may have acted. Only the first settlement counts. Never throws, never waits. */
      readonly settle: (end: 'done' | 'released') => void
    }
  /** By a call that is not over, or whose gateway died. */
  | { readonly kind: 'in_flight' }
  /** By a call that was made. */
  | { readonly kind: 'done'; readonly callId: string }
  /** For something else. */
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'unavailable'; readonly retryAfterMs: number; readonly cause: unknown }

/**
 * Which keys have been used (draft-ietf-httpapi-idempotency-key-header). A key is claimed before anything is decided and kept
 * wherever the upstream may have acted, so that nothing is done twice; there is no failure mode but closed.
 */
export interface IdempotencyStore {
  /** Synchronous from memory, a promise across the network; the promise never rejects. */
  claim(use: KeyUse): KeyAnswer | Promise<KeyAnswer>
}

/** For so long a key is remembered after its call. */
export const KEY_TTL_MS = 24 * 3_600_000
