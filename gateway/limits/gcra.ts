/** A rate as the limiter computes with it: so many calls per window, so many of them at once. */
export interface RateLimit {
  readonly name: string
  readonly calls: number
  readonly windowMs: number
  readonly burst: number
  /** Time that one call uses up, whole microseconds, rounded up so that the rate is never exceeded. */
  readonly intervalUs: number
}

/** A limit's bucket at one moment, seen before the call is counted. */
export interface GcraState {
  /** Theoretical arrival time, microseconds: when the bucket will be full again. Never before now. */
  readonly tatUs: number
  /** How long until one call fits; 0 when it fits now. */
  readonly waitUs: number
}

/** Derives the interval; `burst` and `calls` below 1 count as 1. */
export function rateLimit(limit: {
  readonly name: string
  readonly calls: number
  readonly windowMs: number
  readonly burst: number
}): RateLimit {
  const calls = Math.max(1, limit.calls)
  return {
    name: limit.name,
    calls,
    windowMs: limit.windowMs,
    burst: Math.max(1, Math.floor(limit.burst)),
    intervalUs: Math.max(1, Math.ceil((limit.windowMs * 1000) / calls)),
  }
}

/**
 * Looks at a bucket without counting the call (generic cell rate algorithm, ITU-T I.371, virtual scheduling).
 * A stored time further ahead than a full burst cannot come from this limit: the clock jumped back or the limit
 * was made smaller, and without the clamp the caller would be locked out for as long as the jump.
 * admit.lua mirrors these lines.
 */
export function gcra(limit: RateLimit, storedTatUs: number, nowUs: number): GcraState {
  const capacityUs = limit.burst * limit.intervalUs
  const tatUs = Math.min(Math.max(storedTatUs, nowUs), nowUs + capacityUs)
  return { tatUs, waitUs: Math.max(0, tatUs + limit.intervalUs - nowUs - capacityUs) }
}

/** Calls that would fit right now. */
export function gcraRemaining(limit: RateLimit, tatUs: number, nowUs: number): number {
  const capacityUs = limit.burst * limit.intervalUs
  return Math.max(0, Math.floor((capacityUs - Math.max(0, tatUs - nowUs)) / limit.intervalUs))
}
