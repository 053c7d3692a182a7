/** Lets so many through a second, and as many at once after a quiet second: OPA's `max_decisions_per_second`. */
export function createRateLimiter(perSecond: number): (atMs: number) => boolean {
  let tokens = perSecond
  let filledAtMs: number | undefined
  return (atMs) => {
    tokens = Math.min(perSecond, tokens + ((atMs - (filledAtMs ?? atMs)) * perSecond) / 1_000)
    filledAtMs = atMs
    if (tokens < 1) return false
    tokens -= 1
    return true
  }
}
