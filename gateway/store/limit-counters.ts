import type { LimitState } from '../exchange.ts'
import { gcra, gcraRemaining, type RateLimit } from '../limits/gcra.ts'
import {
  type AdmissionDemand,
  CONCURRENCY_RETRY_MS,
  DAY_MS,
  type Demanded,
  type LimitKind,
  type QuotaLimit,
} from './admission-store.ts'
import { ExpiringMap } from './expiring-map.ts'

/** The limit that refuses a call, and how long until it would not. */
export interface Denial {
  readonly by: LimitKind
  readonly name: string
  readonly waitMs: number
}

interface Quota {
  readonly spent: number
  readonly endsAtMs: number
}

type Limits = Pick<AdmissionDemand, 'rates' | 'quotas' | 'concurrency'>

/** What the counters of a call stand at: of each rate the arrival time that it computes with, then of each quota the calls. */
type Standing = readonly number[]

/** Of so many names at most it is remembered that they hold no place; it saves those that call again and again an entry. */
const IDLE_PLACES = 1_024

/**
 * The counters behind every limit, in this process' memory. `stand` looks once and never counts; `count` counts a call in
 * all of its limits, so that it is all or none, ask `hasRoom` and `denial` first. Times are milliseconds of the wall clock.
 */
export class LimitCounters {
  readonly #size: 'whole' | 'share'
  readonly #tats: ExpiringMap<number>
  readonly #quotas: ExpiringMap<Quota>
  // Places need no end here: they are lost with the process, and with it every call that held one.
  readonly #places = new Map<string, number>()

  /** `size` says which size of each limit is enforced; `capacity` bounds the rates and the quotas, each. */
  constructor(size: 'whole' | 'share', capacity: number) {
    this.#size = size
    this.#tats = new ExpiringMap(capacity, (tatUs) => tatUs)
    this.#quotas = new ExpiringMap(capacity, ({ endsAtMs }) => endsAtMs)
  }

  hasRoom({ rates, quotas }: Limits, nowMs: number): boolean {
    const nowUs = microseconds(nowMs)
    for (const { key } of rates) if (!this.#tats.hasRoom(key, nowUs)) return false
    for (const { key } of quotas) if (!this.#quotas.hasRoom(key, nowMs)) return false
    return true
  }

  stand({ rates, quotas }: Limits, nowMs: number): Standing {
    const nowUs = microseconds(nowMs)
    const standing: number[] = []
    for (const { key } of rates) standing.push(this.#tats.get(key, nowUs) ?? 0)
    for (const { key } of quotas) standing.push(this.#quotas.get(key, nowMs)?.spent ?? 0)
    return standing
  }

  /** The denial with the longest wait: whoever waits that long is not refused by another limit meanwhile. */
  denial({ rates, quotas, concurrency }: Limits, standing: Standing, nowMs: number): Denial | undefined {
    const nowUs = microseconds(nowMs)
    let longest: Denial | undefined
    const deny = (by: LimitKind, { name }: { readonly name: string }, waitMs: number): void => {
      if (waitMs > (longest?.waitMs ?? 0)) longest = { by, name, waitMs }
    }
    let at = 0
    for (const rate of rates) {
      const limit = rate[this.#size]
      const { waitUs } = gcra(limit, standing[at++] ?? 0, nowUs)
      if (waitUs > 0) deny('rate', limit, Math.ceil(waitUs / 1000))
    }
    for (const quota of quotas) {
      const limit = quota[this.#size]
      if ((standing[at++] ?? 0) >= limit.calls) deny('quota', limit, untilTomorrow(nowMs))
    }
    for (const place of concurrency) {
      const limit = place[this.#size]
      if ((this.#places.get(place.key) ?? 0) >= limit.calls) deny('concurrency', limit, CONCURRENCY_RETRY_MS)
    }
    return longest
  }

  /** Counts the call in every limit and takes its places, which `leave` gives back; answers how limits stand then. */
  count(limits: Limits, standing: Standing, nowMs: number): LimitState[] {
    for (const { key } of limits.concurrency) this.#places.set(key, (this.#places.get(key) ?? 0) + 1)
    return this.#states(limits, standing, 1, nowMs)
  }

  /** How the limits stand, for a call that is not counted. */
  look(limits: Limits, standing: Standing, nowMs: number): LimitState[] {
    return this.#states(limits, standing, 0, nowMs)
  }

  leave({ concurrency }: Limits): void {
    for (const { key } of concurrency) {
      const left = (this.#places.get(key) ?? 1) - 1
      if (left > 0 || this.#places.size <= IDLE_PLACES) this.#places.set(key, Math.max(0, left))
      else this.#places.delete(key)
    }
  }

  #states({ rates, quotas }: Limits, standing: Standing, calls: 0 | 1, nowMs: number): LimitState[] {
    const nowUs = microseconds(nowMs)
    const states: LimitState[] = []
    let at = 0
    for (const rate of rates) states.push(this.#rateState(rate, standing[at++] ?? 0, calls, nowUs))
    for (const quota of quotas) states.push(this.#quotaState(quota, standing[at++] ?? 0, calls, nowMs))
    return states
  }

  #rateState(rate: Demanded<RateLimit>, storedTatUs: number, calls: 0 | 1, nowUs: number): LimitState {
    const limit = rate[this.#size]
    const nextUs = gcra(limit, storedTatUs, nowUs).tatUs + calls * limit.intervalUs
    if (calls > 0) this.#tats.set(rate.key, nextUs, nowUs)
    return {
      name: limit.name,
      quota: limit.calls,
      windowMs: limit.windowMs,
      remaining: gcraRemaining(limit, nextUs, nowUs),
      resetMs: Math.ceil((nextUs - nowUs) / 1000),
    }
  }

  #quotaState(quota: Demanded<QuotaLimit>, before: number, calls: 0 | 1, nowMs: number): LimitState {
    const limit = quota[this.#size]
    const resetMs = untilTomorrow(nowMs)
    const spent = before + calls
    if (calls > 0) this.#quotas.set(quota.key, { spent, endsAtMs: nowMs + resetMs }, nowMs)
    const remaining = Math.max(0, limit.calls - spent)
    return { name: limit.name, quota: limit.calls, windowMs: DAY_MS, remaining, resetMs }
  }
}

function untilTomorrow(nowMs: number): number {
  return DAY_MS - (nowMs % DAY_MS)
}

function microseconds(nowMs: number): number {
  return Math.floor(nowMs * 1000)
}
