import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../lib/clock.ts'
import { retryDelayMs } from '../../policy/retry-delay.ts'
import { CorruptLog } from '../corrupt-log.ts'
import { decodeEntry } from '../entry.ts'
import { hasCode } from '../log-disk.ts'
import { listEpochs, type EpochPath } from '../read-entries.ts'
import { CHECKPOINT_FILE, parseCheckpoint } from '../tlog/checkpoint.ts'
import { originOf } from '../tlog/complete-log.ts'
import { Cursors, type Cursor } from './cursors.ts'
import { readLog, type LogPart } from './read-log.ts'
import type { EventLine } from './event-lines.ts'
import { BatchTooLarge, type ExportTarget } from './target.ts'

/** How often to look for logs that have begun. */
const LOOK_MS = 1_000
const LONGEST_PAUSE_MS = 30_000

export type ExportEventSeen =
  | { readonly type: 'delivered'; readonly entries: number }
  /** Nothing was lost: it is tried again. */
  | { readonly type: 'failed'; readonly cause: unknown }
  | { readonly type: 'recovered' }

export interface ExporterOptions {
  readonly name: string
  readonly auditDirectory: string
  /** First part of the origins of the logs. */
  readonly deployment: string
  readonly batchEntries: number
  readonly lineOf: EventLine
  readonly target: ExportTarget
  /** How long to wait when everything has been sent. */
  readonly idleMs: number
  readonly clock: Clock
  readonly onEvent: (event: ExportEventSeen) => void
}

interface Followed {
  readonly path: EpochPath
  cursor: Cursor
  /** Entries that its newest checkpoint covers. */
  signed: number
  /** Nothing is read on where it has changed; it goes on counting as lag. */
  isCorrupt: boolean
}

export interface ExportLag {
  /** Entries that checkpoints cover and the target has not acknowledged. */
  readonly entries: number
  /** Age of the oldest entry that waits, seconds. */
  readonly seconds: number
}

/**
 * Copies the logs of an audit directory to a target: all entries, at least once, each log in its order. It reads files
 * that are written anyway, one batch in memory, so a target that stands still costs calls nothing and loses nothing.
 */
export class Exporter implements AsyncDisposable {
  readonly #options: ExporterOptions
  readonly #cursors: Cursors
  readonly #closing = new AbortController()
  readonly #running: Promise<void>
  #wake: () => void = () => undefined
  #logs = new Map<string, Followed>()
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #oldestWaitingMs: number | undefined
  #failures = 0
  #batchEntries: number

  constructor(options: ExporterOptions) {
    this.#options = options
    this.#cursors = new Cursors(options.auditDirectory, options.name)
    this.#batchEntries = options.batchEntries
    this.#running = this.#run()
  }

  lag(): ExportLag {
    const { clock } = this.#options
    let entries = 0
    for (const { cursor, signed } of this.#logs.values()) entries += Math.max(0, signed - cursor.next)
    const oldest = this.#oldestWaitingMs
    return { entries, seconds: oldest === undefined ? 0 : Math.max(0, clock.nowMs() - oldest) / 1_000 }
  }

  /** Ends a delivery that is under way; the next process sends that again. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    this.#wake()
    await this.#running
    await this.#options.target[Symbol.asyncDispose]()
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) await this.#pause(await this.#attempt())
  }

  /** Sends one batch of each log, and says how long to wait then. */
  async #attempt(): Promise<number> {
    const { idleMs, onEvent } = this.#options
    try {
      await this.#look()
      let more = false
      for (const log of this.#logs.values()) more = (await this.#advance(log)) || more
      if (this.#failures > 0) onEvent({ type: 'recovered' })
      this.#failures = 0
      if (!more) this.#oldestWaitingMs = undefined
      return more ? 0 : idleMs
    } catch (cause) {
      if (this.#closing.signal.aborted) return 0
      if (cause instanceof BatchTooLarge && this.#batchEntries > 1) {
        this.#batchEntries = Math.ceil(this.#batchEntries / 2)
        return 0
      }
      this.#failures += 1
      onEvent({ type: 'failed', cause })
      return retryDelayMs(this.#failures, LONGEST_PAUSE_MS)
    }
  }

  async #look(): Promise<void> {
    const { auditDirectory, clock } = this.#options
    const nowMs = clock.monotonicMs()
    if (nowMs - this.#lookedAtMs < LOOK_MS) return
    const logs = new Map<string, Followed>()
    for (const path of await listEpochs(auditDirectory)) {
      const known = this.#logs.get(path.directory)
      const log = known ?? { path, cursor: await this.#cursors.read(path), signed: 0, isCorrupt: false }
      if (!log.cursor.ended) log.signed = await signedEntries(path)
      logs.set(path.directory, log)
    }
    this.#logs = logs
    this.#lookedAtMs = nowMs
  }

  /** Sends the next batch of a log; whether there is more of it. */
  async #advance(log: Followed): Promise<boolean> {
    if (log.cursor.ended || log.isCorrupt || this.#closing.signal.aborted) return false
    const part = await this.#read(log)
    if (part === undefined) return false
    if (part.entries.length > 0) await this.#deliver(log, part)
    const cursor = { ...part.after, ended: part.state === 'ended' }
    // Only now: dying before it means sending again, never leaving out.
    if (part.entries.length > 0 || cursor.ended) await this.#cursors.write(log.path, cursor)
    log.cursor = cursor
    return part.state === 'more'
  }

  async #read(log: Followed): Promise<LogPart | undefined> {
    try {
      return await readLog(log.path, log.cursor, this.#batchEntries)
    } catch (cause) {
      if (!(cause instanceof CorruptLog)) throw cause
      log.isCorrupt = true
      this.#options.onEvent({ type: 'failed', cause })
      return undefined
    }
  }

  async #deliver({ path }: Followed, { entries }: LogPart): Promise<void> {
    const { deployment, lineOf, target, onEvent } = this.#options
    const origin = originOf(deployment, path)
    const events = entries.flatMap(({ index, bytes }) => {
      const { time = '-', type = '-' } = decodeEntry(bytes) ?? {}
      const id = `${origin}:${String(index)}`
      const line = lineOf(bytes, id)
      return line === undefined ? [] : [{ id, line, time, type, node: path.node }]
    })
    this.#oldestWaitingMs = events[0] && Date.parse(events[0].time)
    if (events.length > 0) await target.deliver(events, this.#closing.signal)
    onEvent({ type: 'delivered', entries: entries.length })
  }

  #pause(delayMs: number): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs).unref()
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

async function signedEntries({ directory }: EpochPath): Promise<number> {
  try {
    return parseCheckpoint(await readFile(join(directory, CHECKPOINT_FILE), 'utf8'))?.size ?? 0
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return 0
    throw cause
  }
}
