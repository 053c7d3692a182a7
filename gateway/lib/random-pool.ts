import { randomFillSync } from 'node:crypto'

const POOL_BYTES = 4096

/** Bytes from the system's generator, fetched in blocks: one call of its own costs more than the whole id. */
export function createRandomPool(): (sizeBytes: number) => Buffer {
  const pool = Buffer.allocUnsafe(POOL_BYTES)
  let used = POOL_BYTES
  return (sizeBytes) => {
    if (used + sizeBytes > POOL_BYTES) {
      randomFillSync(pool)
      used = 0
    }
    used += sizeBytes
    return pool.subarray(used - sizeBytes, used)
  }
}
