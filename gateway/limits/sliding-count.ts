/**
 * A count over a sliding window, kept as seven buckets of a sixth of the window. It covers between the whole
 * window and one sixth more, so it never misses an event that policy or a breaker has to see.
 * A bucket is one number, `period * 100000 + count`; admit.lua and settle.lua keep the very same ones.
 */
export type SlidingCount = number[]

const BUCKETS = 7
const BUCKETS_PER_WINDOW = BUCKETS - 1
const SCALE = 100_000
const MOST = SCALE - 1
/** Below this the period number would outgrow the 53 bits that it shares with the count. */
const SHORTEST_BUCKET_US = 20_000

export function slidingCount(): SlidingCount {
  return Array<number>(BUCKETS).fill(0)
}

export function bucketUs(windowMs: number): number {
  return Math.max(SHORTEST_BUCKET_US, Math.ceil((windowMs * 1000) / BUCKETS_PER_WINDOW))
}

/** Adds one event; a bucket stops at 99,999. */
export function addEvent(count: SlidingCount, bucketWidthUs: number, nowUs: number): void {
  const period = Math.floor(nowUs / bucketWidthUs)
  const slot = slotOf(period)
  const base = period * SCALE
  const events = (count[slot] ?? 0) - base
  const same = events >= 0 && events < SCALE
  count[slot] = base + Math.min(MOST, same ? events + 1 : 1)
}

/** Events in the window that ends now. Buckets from the future (the clock jumped back) still count. */
export function countEvents(count: SlidingCount, bucketWidthUs: number, nowUs: number): number {
  const newest = Math.floor(nowUs / bucketWidthUs)
  let slot = slotOf(newest)
  let total = 0
  for (let period = newest; period > newest - BUCKETS; period -= 1) {
    const held = count[slot] ?? 0
    // A remainder of numbers this large costs more than all the rest, and nearly always there is another way to it.
    const events = held - period * SCALE
    if (events >= 0) total += events < SCALE ? events : held % SCALE
    slot = slot === 0 ? BUCKETS - 1 : slot - 1
  }
  return total
}

function slotOf(period: number): number {
  return period - Math.floor(period / BUCKETS) * BUCKETS
}
