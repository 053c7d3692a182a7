import type { Durability, Position } from './audit-log.ts'
import { encodeControl, frameAt, frameBytes, writeFrame, type Control } from './frame.ts'

const INITIAL_BYTES = 65_536
/** A buffer that one burst made larger than this is given back instead of kept. */
const KEEP_BYTES = 1_048_576

export interface Waiter {
  /** Place within the group. */
  readonly ordinal: number
  readonly durability: Durability
  resolve(position: Position): void
  reject(cause: Error): void
}

/** Frames that one write takes to the file, in order, with those who wait for them. */
export class Group {
  #buffer = Buffer.allocUnsafe(INITIAL_BYTES)
  sizeBytes = 0
  entries = 0
  waiters: Waiter[] = []

  /** Copies the entry in and returns its place in the group. */
  addEntry(payload: Uint8Array): number {
    this.#add(payload, false)
    return this.entries++
  }

  addControl(control: Control): void {
    this.#add(encodeControl(control), true)
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.sizeBytes)
  }

  /** Gives each entry in order; its bytes are good until the group is cleared. */
  eachEntry(take: (payload: Uint8Array) => void): void {
    for (let offset = 0; offset < this.sizeBytes;) {
      const { control, payloadBytes } = frameAt(this.#buffer, offset)
      const end = offset + frameBytes(payloadBytes)
      if (!control) take(this.#buffer.subarray(end - payloadBytes, end))
      offset = end
    }
  }

  clear(): void {
    if (this.#buffer.length > KEEP_BYTES) this.#buffer = Buffer.allocUnsafe(INITIAL_BYTES)
    this.sizeBytes = 0
    this.entries = 0
    this.waiters = []
  }

  #add(payload: Uint8Array, control: boolean): void {
    const needed = this.sizeBytes + frameBytes(payload.length)
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
      this.#buffer.copy(larger, 0, 0, this.sizeBytes)
      this.#buffer = larger
    }
    this.sizeBytes = writeFrame(this.#buffer, this.sizeBytes, payload, control)
  }
}
