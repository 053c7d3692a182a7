import type { OutcomeCode } from './outcome.ts'

/** How the call ended, as the breakers and counters learn it. */
export interface Settlement {
  readonly outcome: OutcomeCode
  /** The call got as far as being handed to the upstream's connection. */
  readonly attempted: boolean
  /** Upstream status; 0 when no answer came. */
  readonly upstreamStatus: number
  readonly upstreamMs: number
}

/** The place that admission holds for the call until it is settled; settling twice is harmless. */
export interface Lease {
  settle(settlement: Settlement): void
}

/** The part of a budget that a call holds until it is settled; settling twice is harmless. */
export interface Reservation {
  settle(settlement: Settlement): void
}

/** The use of an `Idempotency-Key`, until the call is settled; settling twice is harmless. */
export interface Claim {
  settle(settlement: Settlement): void
}
