const COUNTER_MAX = 0xfff

/**
 * Makes UUIDs of version 7 that only ever grow within this process: 48 bits of milliseconds, a 12-bit counter that
 * starts at a random place in its lower half each millisecond, 62 random bits. When the counter runs out or
 * the clock steps back, the timestamp runs ahead of the clock instead of repeating.
 *
 * @param random returns that many random bytes, valid until the next call
 * @see RFC 9562 §5.7, §6.2 method 1
 */
export function createUuidV7(nowMs: () => number, random: (sizeBytes: number) => Buffer): () => string {
  let lastMs = -1
  let counter = 0
  return () => {
    const bytes = random(10)
    const atMs = nowMs()
    if (atMs > lastMs) {
      lastMs = atMs
      counter = bytes.readUInt16BE(0) & 0x7ff
    } else if (counter < COUNTER_MAX) counter += 1
    else {
      lastMs += 1
      counter = bytes.readUInt16BE(0) & 0x7ff
    }
    const time = lastMs.toString(16).padStart(12, '0')
    const rand = bytes.toString('hex', 2, 10)
    const variant = (8 | ((bytes[2] as number) & 3)).toString(16)
    return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${variant}${rand.slice(1, 4)}-${rand.slice(4)}`
  }
}
