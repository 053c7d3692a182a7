import type { Clock } from '../lib/clock.ts'
import { type Entry, Roster } from '../lib/roster.ts'
import type { AdmissionDemand } from './admission-store.ts'

/** Often enough to renew every lease twice before it lapses. */
const RENEWALS_PER_LEASE = 3
const SHORTEST_LEASE_MS = 1_000

interface Lease {
  readonly demand: AdmissionDemand
  readonly everyMs: number
  dueMs: number
}

/**
 * The calls of this process that hold places in the shared store. A stream may outlive its lease by hours, so each is
 * renewed until it is released; only a call whose gateway died must lose its place.
 */
export class Leases {
  readonly #calls = new Roster<Lease>()
  readonly #clock: Clock
  readonly #renew: (demand: AdmissionDemand) => Promise<unknown>
  readonly #timer: NodeJS.Timeout

  constructor(clock: Clock, renew: (demand: AdmissionDemand) => Promise<unknown>) {
    this.#clock = clock
    this.#renew = renew
    this.#timer = setInterval(() => this.#renewDue(), SHORTEST_LEASE_MS / RENEWALS_PER_LEASE).unref()
  }

  /** `undefined` for a call without a place, which has nothing to renew. */
  hold(demand: AdmissionDemand): Entry<Lease> | undefined {
    if (demand.concurrency.length === 0) return undefined
    const everyMs = Math.min(...demand.concurrency.map(({ whole }) => whole.leaseMs)) / RENEWALS_PER_LEASE
    return this.#calls.enter({ demand, everyMs, dueMs: this.#clock.monotonicMs() + everyMs })
  }

  release(entry: Entry<Lease> | undefined): void {
    if (entry !== undefined) this.#calls.leave(entry)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #renewDue(): void {
    const nowMs = this.#clock.monotonicMs()
    for (const lease of this.#calls) {
      if (lease.dueMs > nowMs) continue
      lease.dueMs = nowMs + lease.everyMs
      // A renewal that fails is tried again; until then the lease still runs.
      this.#renew(lease.demand).catch(() => (lease.dueMs = nowMs))
    }
  }
}
