import { TILE_WIDTH } from './tile-path.ts'

const INITIAL_BYTES = 65_536
const LENGTH_BYTES = 2

/**
 * Up to 256 entries, each after its length in two bytes.
 *
 * @see https://c2sp.org/tlog-tiles "Log entries"
 */
export class EntryBundle {
  #buffer = Buffer.allocUnsafe(INITIAL_BYTES)
  #sizeBytes = 0
  entries = 0

  /** Copies the entry in. */
  add(entry: Uint8Array): void {
    const needed = this.#sizeBytes + LENGTH_BYTES + entry.length
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
      this.#buffer.copy(larger, 0, 0, this.#sizeBytes)
      this.#buffer = larger
    }
    this.#buffer.writeUInt16BE(entry.length, this.#sizeBytes)
    this.#buffer.set(entry, this.#sizeBytes + LENGTH_BYTES)
    this.#sizeBytes = needed
    this.entries++
  }

  get full(): boolean {
    return this.entries === TILE_WIDTH
  }

  /** Empties it; what it has grown to is kept for the next 256 entries. */
  clear(): void {
    this.#sizeBytes = 0
    this.entries = 0
  }

  /** Its bytes as they are now; not changed by what is added later. */
  bytes(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#sizeBytes))
  }
}

/** The entries of a bundle; `undefined` when its bytes are not `width` whole entries. */
export function parseBundle(bundle: Buffer, width: number): Buffer[] | undefined {
  const entries: Buffer[] = []
  let offset = 0
  while (offset + LENGTH_BYTES <= bundle.length && entries.length < width) {
    const end = offset + LENGTH_BYTES + bundle.readUInt16BE(offset)
    if (end > bundle.length) return undefined
    entries.push(bundle.subarray(offset + LENGTH_BYTES, end))
    offset = end
  }
  return offset === bundle.length && entries.length === width ? entries : undefined
}
