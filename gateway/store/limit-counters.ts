import type { LimitState } from '../exchange.ts'
import { gcra, gcraRemaining, type RateLimit } from '../limits/gcra.ts'
import {
  type AdmissionDemand,
  type ConcurrencyLimit,
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

/**
 * The counters behind every limit, in this process' memory. Looking never counts, and `count` counts a call in all
 * of its limits; so that it is all or none, ask `hasRoom` and `denial` first. Times are milliseconds of the wall clock.
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
    return (
      rates.every(({ key }) => this.#tats.hasRoom(key, nowUs)) &&
      quotas.every(({ key }) => this.#quotas.hasRoom(key, nowMs))
    )
  }

  /** The denial with the longest wait: whoever waits that long is not refused by another limit meanwhile. */
  denial({ rates, quotas, concurrency }: Limits, nowMs: number): Denial | undefined {
    let longest: Denial | undefined
    const deny = (by: LimitKind, { name }: { readonly name: string }, waitMs: number): void => {
      if (waitMs > (longest?.waitMs ?? 0)) longest = { by, name, waitMs }
    }
    for (const rate of rates) deny('rate', rate[this.#size], this.#rateWaitMs(rate, nowMs))
    for (const quota of quotas) deny('quota', quota[this.#size], this.#quotaWaitMs(quota, nowMs))
    for (const place of concurrency) deny('concurrency', place[this.#size], this.#placeWaitMs(place))
    return longest
  }

  /** Counts the call in every limit and takes its places, which `leave` gives back; answers how limits stand then. */
  count(limits: Limits, nowMs: number): LimitState[] {
    for (const { key } of limits.concurrency) this.#places.set(key, (this.#places.get(key) ?? 0) + 1)
    return this.#states(limits, 1, nowMs)
  }

  /** How the limits stand, for a call that is not counted. */
  look(limits: Limits, nowMs: number): LimitState[] {
    return this.#states(limits, 0, nowMs)
  }

  leave({ concurrency }: Limits): void {
    for (const { key } of concurrency) {
      const left = (this.#places.get(key) ?? 1) - 1
      if (left > 0) this.#places.set(key, left)
      else this.#places.delete(key)
    }
  }

  #rateWaitMs(rate: Demanded<RateLimit>, nowMs: number): number {
    const nowUs = microseconds(nowMs)
    return Math.ceil(gcra(rate[this.#size], this.#tats.get(rate.key, nowUs) ?? 0, nowUs).waitUs / 1000)
  }

  #quotaWaitMs(quota: Demanded<QuotaLimit>, nowMs: number): number {
    return this.#spentToday(quota.key, nowMs) >= quota[this.#size].calls ? untilTomorrow(nowMs) : 0
  }

  #placeWaitMs(place: Demanded<ConcurrencyLimit>): number {
    return (this.#places.get(place.key) ?? 0) >= place[this.#size].calls ? CONCURRENCY_RETRY_MS : 0
  }

  #states({ rates, quotas }: Limits, calls: 0 | 1, nowMs: number): LimitState[] {
    const states: LimitState[] = []
    for (const rate of rates) states.push(this.#rateState(rate, calls, microseconds(nowMs)))
    for (const quota of quotas) states.push(this.#quotaState(quota, calls, nowMs))
    return states
  }

  #rateState(rate: Demanded<RateLimit>, calls: 0 | 1, nowUs: number): LimitState {
    const limit = rate[this.#size]
    const { tatUs } = gcra(limit, this.#tats.get(rate.key, nowUs) ?? 0, nowUs)
    const nextUs = tatUs + calls * limit.intervalUs
    if (calls > 0) this.#tats.set(rate.key, nextUs, nowUs)
    return {
      name: limit.name,
      quota: limit.calls,
      windowMs: limit.windowMs,
      remaining: gcraRemaining(limit, nextUs, nowUs),
      resetMs: Math.ceil((nextUs - nowUs) / 1000),
    }
  }

  #quotaState(quota: Demanded<QuotaLimit>, calls: 0 | 1, nowMs: number): LimitState {
    const limit = quota[this.#size]
    const resetMs = untilTomorrow(nowMs)
    const spent = this.#spentToday(quota.key, nowMs) + calls
    if (calls > 0) this.#quotas.set(quota.key, { spent, endsAtMs: nowMs + resetMs }, nowMs)
    const remaining = Math.max(0, limit.calls - spent)
    return { name: limit.name, quota: limit.calls, windowMs: DAY_MS, remaining, resetMs }
  }

  #spentToday(key: string, nowMs: number): number {
    return this.#quotas.get(key, nowMs)?.spent ?? 0
  }
}

function untilTomorrow(nowMs: number): number {
  return DAY_MS - (nowMs % DAY_MS)
}

function microseconds(nowMs: number): number {
  return Math.floor(nowMs * 1000)
}
