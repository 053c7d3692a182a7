/** What every bench needs: how much to do, and a line for what was seen. */

/** Set in CI: enough calls to see that a bench works, too few for a figure worth keeping. */
export const isShort = process.env['BENCH_SHORT'] === '1'

/** `calls` of them, or a twentieth in the short form. */
export function countOf(calls: number): number {
  return isShort ? Math.ceil(calls / 20) : calls
}

/** Value below which `share` of the samples lie; 0 when there are none. Sorts in place. */
export function quantile(samples: number[] | Float64Array, share: number): number {
  samples.sort((one, other) => one - other)
  return samples[Math.min(samples.length - 1, Math.floor(samples.length * share))] ?? 0
}

/** Prints median and 99th percentile of work that takes less than a timer can tell, in batches, after warming up. */
export function printTimeOf(name: string, work: () => unknown, { calls = 20_000, batch = 1 } = {}): void {
  const rounds = Math.ceil(countOf(calls) / batch)
  for (let count = 0; count < countOf(5_000); count += 1) work()
  const samplesUs = Array.from({ length: rounds }, () => {
    const startedMs = performance.now()
    for (let count = 0; count < batch; count += 1) work()
    return ((performance.now() - startedMs) * 1_000) / batch
  })
  const p50 = quantile(samplesUs, 0.5).toFixed(2)
  console.log(
    `${name.padEnd(44)} p50 ${p50.padStart(8)} µs   p99 ${quantile(samplesUs, 0.99).toFixed(2).padStart(8)} µs`,
  )
}

/** Microseconds of processor time, user and system, that this process has used, its threads included. */
export function ownProcessorMicroseconds(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
