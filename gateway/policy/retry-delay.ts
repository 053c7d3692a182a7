const FIRST_MS = 100
const FACTOR = 1.6
const JITTER = 0.2

/**
 * How long to wait after so many failures in a row, as OPA (and gRPC) does: longer each time, up to `maxMs`, and at
 * random, so that a fleet does not come back to its service as one.
 */
export function retryDelayMs(failures: number, maxMs: number): number {
  const delayMs = Math.min(maxMs, FIRST_MS * FACTOR ** Math.min(failures - 1, 64))
  return delayMs * (1 + JITTER * (Math.random() * 2 - 1))
}
