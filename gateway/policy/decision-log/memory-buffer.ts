import type { Batch, BufferEvent, BufferLimits, EventBuffer } from './event-buffer.ts'

interface Held {
  readonly bytes: Buffer
  readonly atMs: number
}

/** A buffer that ends with its process. */
export class MemoryBuffer implements EventBuffer {
  readonly #limits: BufferLimits
  readonly #onEvent: (event: BufferEvent) => void
  #held: Held[] = []
  /** Elements at the head of `#held` that are gone: removing them one by one would move all the others. */
  #gone = 0
  #first = 0
  #sizeBytes = 0

  constructor(limits: BufferLimits, onEvent: (event: BufferEvent) => void) {
    this.#limits = limits
    this.#onEvent = onEvent
  }

  get events(): number {
    return this.#held.length - this.#gone
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get oldestAtMs(): number | undefined {
    return this.#held[this.#gone]?.atMs
  }

  append(events: readonly Buffer[], atMs: number): void {
    for (const bytes of events) {
      this.#held.push({ bytes, atMs })
      this.#sizeBytes += bytes.length
    }
    const { bytes: limitBytes, events: limitEvents, dropsOldest } = this.#limits
    if (!dropsOldest) return
    let dropped = 0
    while (this.events > 1 && (this.#sizeBytes > limitBytes || this.events > limitEvents)) {
      this.#removeFirst()
      dropped += 1
    }
    this.#compact()
    if (dropped > 0) this.#onEvent({ type: 'overflowed', events: dropped })
  }

  peek(maxBytes: number): Promise<Batch> {
    const events: Buffer[] = []
    let sizeBytes = 0
    for (let index = this.#gone; index < this.#held.length; index += 1) {
      const bytes = this.#held[index]?.bytes ?? Buffer.alloc(0)
      sizeBytes += bytes.length
      if (events.length > 0 && sizeBytes > maxBytes) break
      events.push(bytes)
    }
    return Promise.resolve({ first: this.#first, events })
  }

  remove(end: number): Promise<void> {
    while (this.#first < end && this.events > 0) this.#removeFirst()
    this.#compact()
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }

  #removeFirst(): void {
    this.#sizeBytes -= this.#held[this.#gone]?.bytes.length ?? 0
    this.#gone += 1
    this.#first += 1
  }

  #compact(): void {
    if (this.#gone < 1_024 && this.#gone < this.#held.length) return
    this.#held = this.#held.slice(this.#gone)
    this.#gone = 0
  }
}
