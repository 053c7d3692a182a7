import type { Clock } from '../lib/clock.ts'
import type { Position } from './audit-log.ts'
import type { Waiter } from './group.ts'
import type { SegmentFile } from './segment-file.ts'

interface Written {
  readonly waiter: Waiter
  readonly position: Position
}

export interface FsyncQueueOptions {
  readonly clock: Clock
  readonly onSync: (durationMs: number) => void
  readonly onError: (cause: unknown) => void
}

/** Entries that are written and wait to be fsynced; everything that came while one fsync ran shares the next. */
export class FsyncQueue {
  readonly #options: FsyncQueueOptions
  #waiting: Written[] = []
  #covered: readonly Written[] = []
  #requested = false
  #segment: SegmentFile | undefined
  #running: Promise<void> | undefined
  #startedMs: number | undefined

  constructor(options: FsyncQueueOptions) {
    this.#options = options
  }

  add(waiter: Waiter, position: Position): void {
    this.#waiting.push({ waiter, position })
  }

  /** Syncs at least once from now on; resolves when nothing is waiting, and never rejects. */
  run(segment: SegmentFile): Promise<void> {
    this.#requested = true
    // A loop that began over the segment before must not take its fsync for one of this.
    this.#segment = segment
    this.#running ??= this.#loop()
    return this.#running
  }

  get busy(): boolean {
    return this.#running !== undefined
  }

  /** How long the fsync under way has been running. */
  runningMs(): number {
    return this.#startedMs === undefined ? 0 : this.#options.clock.monotonicMs() - this.#startedMs
  }

  rejectAll(cause: Error): void {
    for (const { waiter } of [...this.#covered, ...this.#waiting]) waiter.reject(cause)
    this.#covered = []
    this.#waiting = []
    this.#requested = false
  }

  async #loop(): Promise<void> {
    try {
      while (this.#requested && this.#segment !== undefined) {
        this.#requested = false
        await this.#syncOnce(this.#segment)
      }
    } catch (cause) {
      this.#options.onError(cause)
    } finally {
      this.#running = undefined
      this.#startedMs = undefined
    }
  }

  async #syncOnce(segment: SegmentFile): Promise<void> {
    this.#covered = this.#waiting
    this.#waiting = []
    const startedMs = this.#options.clock.monotonicMs()
    this.#startedMs = startedMs
    await segment.sync()
    this.#options.onSync(this.#options.clock.monotonicMs() - startedMs)
    this.#startedMs = undefined
    const covered = this.#covered
    this.#covered = []
    for (const { waiter, position } of covered) waiter.resolve(position)
  }
}
