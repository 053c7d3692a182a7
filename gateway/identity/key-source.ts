import { hasLost } from './key-set.ts'
import type { KeySet } from './key-set.ts'

/** What the operator can be told of one issuer's keys. */
export interface KeyStatus {
  readonly issuer: string
  /** Whether tokens of this issuer can be verified now. */
  readonly usable: boolean
  readonly keys: number
  /** Since the last good reading; `undefined` before the first. */
  readonly ageMs: number | undefined
  /** Message of the last failure, until a reading succeeds. */
  readonly failure: string | undefined
}

/** Where the keys of one issuer come from, and the last good ones. */
export interface KeySource extends Disposable {
  /** Keys that may be used now; `undefined` when there are none, or they are too old to be trusted. */
  usable(): KeySet | undefined
  /** Rises when a key leaves: whatever was verified before is then to be verified again. */
  generation(): number
  /** Whether the keys are old enough to be fetched again when a new token comes; those there are go on being used. */
  due(): boolean
  /** The fetch under way, or one begun now; `undefined` while none is allowed. Never rejects. */
  refresh(): Promise<void> | undefined
  status(): KeyStatus
}

/** One function for each event of identity that an operator wants to see. */
export interface IdentityEvents {
  keysLoaded(event: { issuer: string; keys: number; lost: boolean }): void
  keysFailed(event: { issuer: string; cause: unknown }): void
  /** Whether a token was verified before, and lately. */
  tokenLookedUp(result: 'hit' | 'miss'): void
  unboundTokenAccepted(event: { issuer: string }): void
}

/** The state that both kinds of source share. */
export interface KeyHolder {
  keys: KeySet | undefined
  generation: number
  failure: string | undefined
}

export function holdKeys(holder: KeyHolder, keys: KeySet, issuer: string, events: IdentityEvents): void {
  const lost = holder.keys !== undefined && hasLost(holder.keys, keys)
  if (lost) holder.generation += 1
  holder.keys = keys
  holder.failure = undefined
  events.keysLoaded({ issuer, keys: keys.length, lost })
}

export function noteFailure(holder: KeyHolder, cause: unknown, issuer: string, events: IdentityEvents): void {
  holder.failure = cause instanceof Error ? cause.message : 'unknown'
  events.keysFailed({ issuer, cause })
}
