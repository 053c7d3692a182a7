import { open, type FileHandle } from 'node:fs/promises'
import type { BufferEvent } from './event-buffer.ts'
import { segmentPath } from './spill-folder.ts'

const RETRY_MS = 1_000

/** A file of events, and how much of it is uploaded. */
export interface Segment {
  readonly path: string
  /** Number of its first event that is not uploaded. */
  first: number
  /** Events that are not uploaded. */
  events: number
  sizeBytes: number
  sentBytes: number
  readonly beganAtMs: number
}

interface Waiting {
  readonly frame: Buffer
  readonly atMs: number
}

export interface SpillWriterOptions {
  readonly folder: string
  readonly firstSegment: number
  /** Number of the first event that will be written. */
  readonly firstEvent: number
  readonly segmentLimits: { readonly bytes: number; readonly events: number }
  readonly onBegin: (segment: Segment) => void
  readonly onEvent: (event: BufferEvent) => void
}

/** Appends frames to one segment after another, everything that came meanwhile in one write. */
export class SpillWriter {
  readonly #options: SpillWriterOptions
  /** Not in a file yet, oldest first. */
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #writing: Promise<void> | undefined
  #active: { readonly segment: Segment; readonly handle: FileHandle } | undefined
  #nextEvent: number
  #nextSegment: number
  /** Set while somebody wants the active segment to end. */
  #yields = false
  #failing = false
  #retry: NodeJS.Timeout | undefined

  constructor(options: SpillWriterOptions) {
    this.#options = options
    this.#nextEvent = options.firstEvent
    this.#nextSegment = options.firstSegment
  }

  get waiting(): readonly Waiting[] {
    return this.#waiting
  }

  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** Number of the first event that waits, or would. */
  get nextEvent(): number {
    return this.#nextEvent
  }

  isWritingTo(segment: Segment): boolean {
    return this.#active?.segment === segment
  }

  append(frame: Buffer, atMs: number): void {
    this.#waiting.push({ frame, atMs })
    this.#waitingBytes += frame.length
    this.#write()
  }

  /** Resolves once everything waiting is written, or could not be. */
  async settled(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
  }

  /** Ends the segment being written; the next event begins another one. */
  async endSegment(): Promise<void> {
    this.#yields = true
    await this.#writing
    this.#yields = false
    await this.#closeActive()
    this.#write()
  }

  /** Forgets the oldest event that waits, unless it may be half written; whether it could. */
  forgetOldest(): boolean {
    const oldest = this.#waiting[0]
    if (oldest === undefined || this.#writing !== undefined) return false
    this.#waiting.shift()
    this.#waitingBytes -= oldest.frame.length
    this.#nextEvent += 1
    return true
  }

  /** Tries once more to write what waits, and closes the file. */
  async close(): Promise<void> {
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.#write()
    await this.settled()
    clearTimeout(this.#retry)
    await this.#closeActive()
  }

  #write(): void {
    if (this.#writing !== undefined || this.#retry !== undefined || this.#waiting.length === 0) return
    this.#writing = this.#writeAll().finally(() => {
      this.#writing = undefined
      if (!this.#yields) this.#write()
    })
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#waiting.length > 0 && !this.#yields) await this.#writeWaiting()
      if (this.#failing) this.#options.onEvent({ type: 'disk_works_again' })
      this.#failing = false
    } catch (cause) {
      if (!this.#failing) this.#options.onEvent({ type: 'disk_failed', cause })
      this.#failing = true
      this.#retry = setTimeout(() => {
        this.#retry = undefined
        this.#write()
      }, RETRY_MS)
      this.#retry.unref()
    }
  }

  async #writeWaiting(): Promise<void> {
    const batch = this.#waiting.slice(0, this.#options.segmentLimits.events)
    const { segment, handle } = this.#active ?? (await this.#begin(batch[0]?.atMs ?? 0))
    const bytes = Buffer.concat(batch.map(({ frame }) => frame))
    let writtenBytes = 0
    while (writtenBytes < bytes.length) {
      // At the place where the events counted so far end: what a failed write left there is written over.
      const at = segment.sizeBytes + writtenBytes
      const { bytesWritten } = await handle.write(bytes, writtenBytes, bytes.length - writtenBytes, at)
      if (bytesWritten === 0) throw new Error('the file took no bytes')
      writtenBytes += bytesWritten
    }
    this.#waiting = this.#waiting.slice(batch.length)
    this.#waitingBytes -= bytes.length
    this.#nextEvent += batch.length
    segment.sizeBytes += bytes.length
    segment.events += batch.length
    const { segmentLimits } = this.#options
    if (segment.sizeBytes >= segmentLimits.bytes || segment.events >= segmentLimits.events)
      await this.#closeActive()
  }

  async #begin(beganAtMs: number): Promise<{ segment: Segment; handle: FileHandle }> {
    const path = segmentPath(this.#options.folder, this.#nextSegment)
    const handle = await open(path, 'wx', 0o600)
    this.#nextSegment += 1
    const segment = { path, first: this.#nextEvent, events: 0, sizeBytes: 0, sentBytes: 0, beganAtMs }
    this.#active = { segment, handle }
    this.#options.onBegin(segment)
    return this.#active
  }

  async #closeActive(): Promise<void> {
    const active = this.#active
    this.#active = undefined
    await active?.handle.close()
  }
}
