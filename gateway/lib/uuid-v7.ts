const COUNTER_MAX = 0xfff
const LENGTH = 36
const DIGITS = Buffer.from('0123456789abcdef', 'latin1')
/** Where the last six bytes begin. */
const NODE_AT = 24

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
  // Written over for each one, so that its string is made once and in one piece.
  const text = Buffer.alloc(LENGTH, '-')
  const put = (at: number, byte: number): void => {
    text[at] = DIGITS[byte >> 4] as number
    text[at + 1] = DIGITS[byte & 15] as number
  }
  let upperTime = -1
  const putTime = (ms: number): void => {
    const upper = Math.floor(ms / 0x1_0000)
    if (upper !== upperTime) text.write(upper.toString(16).padStart(8, '0'), 0, 'latin1')
    upperTime = upper
    const lower = ms - upper * 0x1_0000
    put(9, lower >> 8)
    put(11, lower & 0xff)
  }
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
    putTime(lastMs)
    put(14, 0x70 | (counter >> 8))
    put(16, counter & 0xff)
    put(19, 0x80 | ((bytes[2] as number) & 0x3f))
    put(21, bytes[3] as number)
    for (let index = 0; index < 6; index += 1) put(NODE_AT + 2 * index, bytes[4 + index] as number)
    return text.toString('latin1')
  }
}
