import { readFile, rm, writeFile } from 'node:fs/promises'
import type { Batch, BufferEvent, BufferLimits, EventBuffer } from './event-buffer.ts'
import { openSpillFolder, sentPath, type SpillFolder } from './spill-folder.ts'
import { eventIn, frameOf, readFrames, type SpilledEvent } from './spill-frame.ts'
import { SpillWriter, type Segment } from './spill-writer.ts'

/** Files per full buffer, about: the oldest is what goes when there is no room. */
const SEGMENTS = 8
const LARGEST_SEGMENT_BYTES = 4_194_304

export interface DiskBufferOptions {
  readonly directory: string
  readonly limits: BufferLimits
  readonly nowMs: number
  readonly onEvent: (event: BufferEvent) => void
}

/**
 * A buffer in files that are only ever appended to, so that events outlive the process, `kill -9` included: each is
 * handed to the operating system within moments. Nothing is fsynced, so a power loss can take the last of them.
 */
export class DiskBuffer implements EventBuffer {
  readonly #options: DiskBufferOptions
  readonly #folder: SpillFolder
  readonly #writer: SpillWriter
  /** Oldest first; the last of them may be the one being written. */
  readonly #segments: Segment[] = []
  /** What is in the first of them and not uploaded. */
  #head: { readonly segment: Segment; readonly events: readonly SpilledEvent[] } | undefined

  private constructor(options: DiskBufferOptions, folder: SpillFolder) {
    this.#options = options
    this.#folder = folder
    let firstEvent = 0
    for (const { path, sizeBytes, events, sentBytes, writtenAtMs } of folder.found) {
      this.#segments.push({
        path,
        first: firstEvent,
        events,
        sizeBytes,
        sentBytes,
        beganAtMs: writtenAtMs,
      })
      firstEvent += events
    }
    this.#writer = new SpillWriter({
      folder: folder.path,
      firstSegment: folder.found.length,
      firstEvent,
      segmentLimits: {
        bytes: Math.min(LARGEST_SEGMENT_BYTES, Math.ceil(options.limits.bytes / SEGMENTS)),
        events: Math.ceil(options.limits.events / SEGMENTS),
      },
      onBegin: (segment) => this.#segments.push(segment),
      onEvent: options.onEvent,
    })
  }

  /** @throws Error when the directory cannot be used */
  static async open(options: DiskBufferOptions): Promise<DiskBuffer> {
    const folder = await openSpillFolder(options.directory, options.nowMs)
    const buffer = new DiskBuffer(options, folder)
    if (folder.found.length > 0) {
      const tornBytes = folder.found.reduce((sum, segment) => sum + segment.tornBytes, 0)
      options.onEvent({ type: 'recovered', events: buffer.events, tornBytes })
    }
    buffer.#makeRoom()
    return buffer
  }

  get events(): number {
    return this.#segments.reduce((sum, { events }) => sum + events, this.#writer.waiting.length)
  }

  get sizeBytes(): number {
    return this.#segments.reduce(
      (sum, { sizeBytes, sentBytes }) => sum + sizeBytes - sentBytes,
      this.#writer.waitingBytes,
    )
  }

  get oldestAtMs(): number | undefined {
    return this.#segments.find(({ events }) => events > 0)?.beganAtMs ?? this.#writer.waiting[0]?.atMs
  }

  append(events: readonly Buffer[], atMs: number): void {
    for (const event of events) this.#writer.append(frameOf(event), atMs)
    this.#makeRoom()
  }

  async peek(maxBytes: number): Promise<Batch> {
    for (;;) {
      if (this.#segments.length === 0) await this.#writer.settled()
      const segment = this.#segments[0]
      // A disk that takes no more writes keeps nobody from uploading what waits for it.
      if (segment === undefined) return this.#peekWaiting(maxBytes)
      const events = await this.#read(segment)
      if (events.length > 0) return { first: segment.first, events: upTo(events, maxBytes) }
      await this.#discard(segment)
    }
  }

  async remove(end: number): Promise<void> {
    const segment = this.#segments[0]
    if (segment === undefined) return this.#removeWaiting(end)
    const count = end - segment.first
    // Events that made room meanwhile, or came into a file only now: the latter are sent twice.
    if (this.#head?.segment !== segment || count <= 0) return
    const { events } = this.#head
    const last = events[count - 1]
    if (last === undefined || count === events.length) return this.#discard(segment)
    this.#head = { segment, events: events.slice(count) }
    segment.first = end
    segment.events -= count
    segment.sentBytes = last.endOffset
    // Without the note the next process would send these again, which is allowed; this one knows better.
    await writeFile(sentPath(segment.path), `${last.endOffset}\n`, { mode: 0o600 }).catch((cause: unknown) =>
      this.#options.onEvent({ type: 'disk_failed', cause }),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close()
    if (this.events === 0) await rm(this.#folder.path, { recursive: true, force: true })
    this.#folder[Symbol.dispose]()
  }

  async #read(segment: Segment): Promise<readonly SpilledEvent[]> {
    if (this.#head?.segment === segment) return this.#head.events
    // Nothing is written to a file that is read from.
    if (this.#writer.isWritingTo(segment)) await this.#writer.endSegment()
    const file = await readFile(segment.path).catch(emptyIfMissing)
    const events = readFrames(file.subarray(0, segment.sizeBytes), segment.sentBytes)
    const lostBytes = segment.sizeBytes - (events.at(-1)?.endOffset ?? segment.sentBytes)
    if (lostBytes > 0)
      this.#options.onEvent({ type: 'damaged', events: segment.events - events.length, lostBytes })
    segment.events = events.length
    this.#head = { segment, events }
    return events
  }

  #peekWaiting(maxBytes: number): Batch {
    const events = this.#writer.waiting.map(({ frame }) => ({ bytes: eventIn(frame) }))
    return { first: this.#writer.nextEvent, events: upTo(events, maxBytes) }
  }

  #removeWaiting(end: number): void {
    while (this.#writer.nextEvent < end && this.#writer.forgetOldest());
  }

  async #discard(segment: Segment): Promise<void> {
    const index = this.#segments.indexOf(segment)
    if (index !== -1) this.#segments.splice(index, 1)
    if (this.#head?.segment === segment) this.#head = undefined
    if (this.#writer.isWritingTo(segment)) await this.#writer.endSegment()
    // The note last: without it a file that could not be removed would be sent again from its beginning.
    await rm(segment.path, { force: true })
    await rm(sentPath(segment.path), { force: true })
  }

  #makeRoom(): void {
    const { limits, onEvent } = this.#options
    let dropped = 0
    while (limits.dropsOldest && (this.sizeBytes > limits.bytes || this.events > limits.events)) {
      const oldest = this.#segments[0]
      if (oldest === undefined) {
        if (this.#writer.waiting.length < 2 || !this.#writer.forgetOldest()) break
        dropped += 1
      } else {
        if (this.#writer.isWritingTo(oldest)) break
        dropped += oldest.events
        this.#discard(oldest).catch((cause: unknown) => onEvent({ type: 'disk_failed', cause }))
      }
    }
    if (dropped > 0) onEvent({ type: 'overflowed', events: dropped })
  }
}

/** A file that is gone holds no events; one that cannot be read now is read later. */
function emptyIfMissing(cause: unknown): Buffer {
  if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return Buffer.alloc(0)
  throw cause
}

function upTo(events: readonly { readonly bytes: Buffer }[], maxBytes: number): readonly Buffer[] {
  let sizeBytes = 0
  const fitting: Buffer[] = []
  for (const { bytes } of events) {
    sizeBytes += bytes.length
    if (fitting.length > 0 && sizeBytes > maxBytes) break
    fitting.push(bytes)
  }
  return fitting
}
