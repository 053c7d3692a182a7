/** Prints how long something took, and gives its 99th percentile in milliseconds. */
export function reportP99(what: string, elapsedMs: readonly number[]): number {
  const sorted = elapsedMs.toSorted((one, other) => one - other)
  const [p50 = 0, p99 = 0, most = 0] = [0.5, 0.99, 1].map(
    (part) => sorted[Math.ceil(sorted.length * part) - 1],
  )
  console.info(`${what}: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, most ${most.toFixed(1)} ms`)
  return p99
}
