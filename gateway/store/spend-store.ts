import type { CallId } from '../exchange.ts'

/** What one call moves, and whose budgets it is counted in. */
export interface SpendDemand {
  readonly callId: CallId
  /** Hash tag `{tenant}`, encoded. */
  readonly tag: string
  /** Issuer and agent id, encoded: nothing is ever counted for a name that was not proven. */
  readonly agent: string
  /** Encoded name of the task, counted below the agent because the client chose it; empty for none. */
  readonly task: string
  /** Date such as `2026-11-23`, in the time zone of policy. */
  readonly day: string
  readonly currency: string
  /** Whole minor units of the currency, from 0 to 10^15 − 1. */
  readonly minor: number
}

export type SpendAnswer =
  | {
      readonly kind: 'reserved'
      /** Minor units before this call: what was spent, and what other calls hold. */
      readonly dayMinor: number
      readonly taskMinor: number
      /**
       * `kept` leaves the sum counted, because it may have been spent; otherwise it is given back. Only the first
       * settlement counts. Never throws, never waits.
       */
      readonly settle: (end: 'kept' | 'released') => void
    }
  | { readonly kind: 'unavailable'; readonly retryAfterMs: number; readonly cause: unknown }

/**
 * Sums of money by agent and day, and by agent and task, each currency by itself. A reservation is added before policy is
 * asked, in one step with reading what was there, so that of two calls at once the second sees the first: both never
 * see the same room. What nobody settles (its gateway died) stays counted to the end of the day: the money may be gone.
 *
 * There is no failure mode but closed: a sum that cannot be counted is not spent.
 */
export interface SpendStore {
  /** Synchronous from memory, a promise across the network; the promise never rejects. */
  reserve(demand: SpendDemand): SpendAnswer | Promise<SpendAnswer>
}

/** A day of 25 hours, the clocks of a fleet, and calls that run past midnight; the date in the key ends it, not this. */
export const DAY_SPEND_TTL_MS = 48 * 3_600_000
/** A task nobody spent in for so long begins anew. */
export const TASK_SPEND_TTL_MS = 24 * 3_600_000
/** Beyond, sums would no longer be exact. */
export const MOST_MINOR = Number.MAX_SAFE_INTEGER
