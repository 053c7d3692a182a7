import { GatewayFault } from '../fault.ts'
import { systemClock, type Clock } from '../lib/clock.ts'
import { ENTRY_LIMIT_BYTES } from './audit-log.ts'
import type { AuditLog, AuditLogHealth, Durability, Position } from './audit-log.ts'
import { FsyncQueue } from './fsync-queue.ts'
import { Group } from './group.ts'
import { systemDisk, type LogDisk } from './log-disk.ts'
import { SegmentFile } from './segment-file.ts'
import type { WriteAheadLogOptions } from './write-ahead-options.ts'

/**
 * The log as write-ahead files with group commit: what is queued while a write runs is written in one piece, and
 * what is written while an fsync runs is covered by the next. Writing does not wait for the fsync, so a read that
 * asks for `flushed` does not pay for a write that asks for `strict`.
 */
export class WriteAheadLog implements AuditLog {
  readonly epoch: string
  readonly #options: WriteAheadLogOptions
  readonly #disk: LogDisk
  readonly #clock: Clock
  readonly #fsyncs: FsyncQueue
  readonly #tick: NodeJS.Timeout
  #segment: SegmentFile
  #state: AuditLogHealth['state'] = 'open'
  #detail = ''
  #nextIndex = 0
  #pending = new Group()
  /** Being written, or empty. */
  #inWrite = new Group()
  #writeStartedMs: number | undefined
  #draining: Promise<void> | undefined
  /** The last segment is complete, durable and closed. */
  #ended = false

  /** Begins the epoch's first segment; throws when the disk will not have it. */
  static async open(options: WriteAheadLogOptions): Promise<WriteAheadLog> {
    const disk = options.disk ?? systemDisk
    const header = { epoch: options.epoch, segment: 1, firstIndex: 0 }
    let full = async (): Promise<boolean> => false
    const { segment } = await SegmentFile.begin({
      disk,
      directory: options.directory,
      header,
      carried: [],
      makeRoom: () => full(),
    })
    const log = new WriteAheadLog(options, disk, segment)
    full = () => log.#makeRoom()
    return log
  }

  private constructor(options: WriteAheadLogOptions, disk: LogDisk, segment: SegmentFile) {
    this.epoch = options.epoch
    this.#options = options
    this.#disk = disk
    this.#clock = options.clock ?? systemClock
    this.#segment = segment
    this.#fsyncs = new FsyncQueue({
      clock: this.#clock,
      onSync: (durationMs) => options.onSync?.(durationMs),
      onError: (cause) => this.fail(cause),
    })
    this.#tick = setInterval(() => this.#onTick(), options.syncIntervalMs ?? 200).unref()
  }

  append(entry: Uint8Array, durability: Durability): Promise<Position> {
    if (entry.length === 0 || entry.length > ENTRY_LIMIT_BYTES) {
      return Promise.reject(new RangeError(`an audit entry cannot have ${String(entry.length)} bytes`))
    }
    if (!this.#writable) return Promise.reject(unavailable(`the audit log is ${this.#state}`))
    if (this.#queuedBytes() + entry.length > (this.#options.queueLimitBytes ?? 33_554_432)) {
      return Promise.reject(unavailable('the audit queue is full'))
    }
    return new Promise((resolve, reject) => {
      const ordinal = this.#pending.addEntry(entry)
      this.#pending.waiters.push({ ordinal, durability, resolve, reject })
      this.#kick()
    })
  }

  health(): AuditLogHealth {
    return { state: this.#state, queuedBytes: this.#queuedBytes(), detail: this.#detail }
  }

  /** Makes everything written so far durable; rejects when that cannot be. */
  sync(): Promise<void> {
    if (this.#state === 'failed') return Promise.reject(unavailable('the audit log is failed'))
    if (this.#ended) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const position = { epoch: this.epoch, index: this.#nextIndex - 1 }
      this.#fsyncs.add({ ordinal: 0, durability: 'strict', resolve: () => resolve(), reject }, position)
      void this.#fsyncs.run(this.#segment)
    })
  }

  async seal(): Promise<void> {
    if (this.#writable) {
      this.#state = 'sealed'
      await this.#draining
      await this.#finish()
    }
    clearInterval(this.#tick)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.seal()
  }

  get #writable(): boolean {
    return this.#state === 'open' || this.#state === 'full'
  }

  #queuedBytes(): number {
    return this.#pending.sizeBytes + this.#inWrite.sizeBytes
  }

  /** One turn of the event loop gathers what its calls append into one write. */
  #kick(): void {
    this.#draining ??= new Promise<void>((resolve) => {
      setImmediate(resolve)
    }).then(() => this.#drain())
  }

  async #drain(): Promise<void> {
    try {
      while (this.#pending.sizeBytes > 0) {
        if (this.#segment.sizeBytes >= this.#options.segmentLimitBytes) await this.#rotate()
        if (this.#segment.unmarked) this.#segment.mark(this.#pending)
        const group = this.#pending
        this.#pending = this.#inWrite
        this.#inWrite = group
        await this.#write(group)
      }
    } catch (cause) {
      this.fail(cause)
    } finally {
      this.#draining = undefined
    }
  }

  async #write(group: Group): Promise<void> {
    this.#writeStartedMs = this.#clock.monotonicMs()
    await this.#segment.write(group)
    this.#writeStartedMs = undefined
    // Given up as stalled while the write ran: everybody in the group has been told already.
    if (this.#state === 'failed') return
    const firstIndex = this.#nextIndex
    this.#nextIndex += group.entries
    let strict = false
    for (const waiter of group.waiters) {
      const position = { epoch: this.epoch, index: firstIndex + waiter.ordinal }
      if (waiter.durability === 'flushed') {
        waiter.resolve(position)
      } else {
        strict = true
        this.#fsyncs.add(waiter, position)
      }
    }
    if (strict) void this.#fsyncs.run(this.#segment)
    this.#options.onWritten?.(group)
    group.clear()
  }

  async #rotate(): Promise<void> {
    const full = this.#segment
    await this.#fsyncs.run(full)
    if (full.dirty) throw new Error('the full audit segment could not be fsynced')
    const carried = this.#options.carry?.() ?? []
    const header = { epoch: this.epoch, segment: full.number + 1, firstIndex: this.#nextIndex }
    const { directory } = this.#options
    const makeRoom = (): Promise<boolean> => this.#makeRoom()
    // The one before stays open until the new one is there: a sync may come at any time.
    const begun = await SegmentFile.begin({ disk: this.#disk, directory, header, carried, makeRoom })
    this.#segment = begun.segment
    this.#nextIndex += carried.length
    this.#options.onWritten?.(begun.head)
    await full.close()
  }

  async #makeRoom(): Promise<boolean> {
    if (this.#state === 'open') this.#state = 'full'
    this.#detail = 'the disk has no room'
    return (await this.#options.makeRoom?.()) ?? false
  }

  #onTick(): void {
    if (this.#state === 'failed') return
    const writingMs =
      this.#writeStartedMs === undefined ? 0 : this.#clock.monotonicMs() - this.#writeStartedMs
    if (Math.max(writingMs, this.#fsyncs.runningMs()) > (this.#options.stallMs ?? 10_000)) {
      this.fail(new Error('the disk under the audit log does not answer'))
    } else if (this.#writable && this.#draining === undefined) {
      this.#settleIdle()
    }
  }

  #settleIdle(): void {
    if (this.#fsyncs.busy) return
    if (this.#segment.dirty) {
      void this.#fsyncs.run(this.#segment)
    } else if (this.#segment.unmarked) {
      this.#segment.mark(this.#pending)
      this.#kick()
    }
  }

  async #finish(): Promise<void> {
    try {
      const group = new Group()
      group.addControl({ kind: 'sealed', entries: this.#nextIndex })
      await this.#segment.write(group)
      await this.#fsyncs.run(this.#segment)
      this.#ended = true
      await this.#segment.close()
    } catch (cause) {
      this.fail(cause)
    }
  }

  /**
   * Ends the log for good and tells everybody who waits. No retry: after a failed fsync the kernel may have dropped
   * the pages and call the next one a success.
   */
  fail(cause: unknown): void {
    if (this.#state === 'failed') return
    this.#state = 'failed'
    this.#detail = cause instanceof Error ? cause.message : String(cause)
    clearInterval(this.#tick)
    const fault = unavailable('the audit log failed', cause)
    for (const waiter of [...this.#inWrite.waiters, ...this.#pending.waiters]) waiter.reject(fault)
    this.#fsyncs.rejectAll(fault)
    this.#pending.clear()
    // A hung write may still be reading the old one.
    this.#inWrite = new Group()
    this.#segment.close().catch(() => undefined)
    this.#options.onFailure?.(cause)
  }
}

function unavailable(message: string, cause?: unknown): GatewayFault {
  return new GatewayFault('audit.unavailable', message, { cause })
}
