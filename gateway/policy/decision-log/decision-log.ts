import { setImmediate } from 'node:timers/promises'
import type { DecisionLogConfig } from '../../config/decision-log-config.ts'
import type { ReadCall } from '../../exchange.ts'
import type { Clock } from '../../lib/clock.ts'
import { DiskBuffer } from './disk-buffer.ts'
import { decisionEvent, madeDecision, type Made, type MadeDecision } from './event.ts'
import type { BufferEvent, BufferLimits, EventBuffer } from './event-buffer.ts'
import { prepareEvent, type LogFailure, type LogRules } from './log-rules.ts'
import { MemoryBuffer } from './memory-buffer.ts'
import { createRateLimiter } from './rate-limiter.ts'
import { Uploader, type UploadEvent } from './uploader.ts'
import { WaitingRoom } from './waiting-room.ts'

export interface DecisionLogOptions {
  readonly config: DecisionLogConfig
  readonly labels: Readonly<Record<string, string>>
  readonly token: (() => string) | undefined
  readonly clock: Clock
  readonly onEvent: (event: DecisionLogEvent) => void
}

export type DecisionLogEvent =
  | BufferEvent
  | UploadEvent
  | { readonly type: 'encoded' }
  /** Not logged because the drop rule said so, or because there were too many in this second. */
  | { readonly type: 'dropped'; readonly why: 'rule' | 'rate' }
  | { readonly type: 'rule_failed'; readonly failure: LogFailure }
  /** A decision that could not be made an event of; nothing of it is logged. */
  | { readonly type: 'encoding_failed'; readonly cause: unknown }

export interface DecisionLogStatus {
  readonly events: number
  readonly bufferBytes: number
  /** Age of the oldest event that is not uploaded, seconds. */
  readonly lagSeconds: number
  readonly uploadedAtMs: number | undefined
  /** Why the last upload failed; `undefined` after one that did not. */
  readonly failure: UploadFailure | undefined
}

export interface UploadFailure {
  readonly message: string
  readonly httpStatus: number | undefined
}

interface Recorded {
  readonly decision: MadeDecision
  readonly rules: LogRules
  readonly number: number
}

/** Longest turn that masking and encoding take from the calls, milliseconds. */
const TURN_MS = 2
/** What an event is taken for that has no size yet. */
const ASSUMED_EVENT_BYTES = 2_048

/**
 * Reports decisions to a collector as OPA does. What a call pays is one object in a list: its event is built, masked,
 * encoded, kept and uploaded in turns of their own.
 *
 * @see https://www.openpolicyagent.org/docs/management-decision-logs
 */
export class DecisionLog implements AsyncDisposable {
  readonly #options: DecisionLogOptions
  readonly #buffer: EventBuffer
  readonly #uploader: Uploader
  readonly #waitingRoom: WaitingRoom
  readonly #allows: (atMs: number) => boolean
  #recorded: Recorded[] = []
  #encoding: Promise<void> | undefined
  #requests = 0
  #uploadedAtMs: number | undefined
  #failure: UploadFailure | undefined

  private constructor(options: DecisionLogOptions, buffer: EventBuffer) {
    const { config, token } = options
    this.#options = options
    this.#buffer = buffer
    this.#uploader = new Uploader({ config, token, buffer, onEvent: (event) => this.#uploadEvent(event) })
    this.#waitingRoom = new WaitingRoom(() => this.#room())
    const { maxDecisionsPerSecond } = config
    this.#allows = maxDecisionsPerSecond === undefined ? () => true : createRateLimiter(maxDecisionsPerSecond)
  }

  /** @throws Error when the directory of the buffer cannot be used */
  static async open(options: DecisionLogOptions): Promise<DecisionLog> {
    const { config, clock, onEvent } = options
    const { limitBytes, limitEvents, onFull, directory } = config.buffer
    const limits: BufferLimits = { bytes: limitBytes, events: limitEvents, dropsOldest: onFull === 'drop' }
    const buffer =
      directory === undefined
        ? new MemoryBuffer(limits, onEvent)
        : await DiskBuffer.open({ directory, limits, nowMs: clock.nowMs(), onEvent })
    return new DecisionLog(options, buffer)
  }

  /**
   * Whether a decision made now has room. Where the configuration lets calls wait for room, that takes a promise; what
   * is false is to be refused.
   */
  admits(): boolean | Promise<boolean> {
    const { onFull, blockTimeoutMs } = this.#options.config.buffer
    if (onFull === 'drop' || this.#room() > 0) return true
    return onFull === 'deny' ? false : this.#waitingRoom.wait(blockTimeoutMs)
  }

  /** Takes a decision, and the rules on the log that were in force with it. Never throws. */
  record(call: ReadCall, made: Made, rules: LogRules): void {
    const { config, clock, onEvent } = this.#options
    this.#requests += 1
    if (!this.#allows(clock.monotonicMs())) return onEvent({ type: 'dropped', why: 'rate' })
    const decision = madeDecision(call, made, config.requestHeaders)
    this.#recorded.push({ decision, rules, number: this.#requests })
    this.#startEncoding()
  }

  status(): DecisionLogStatus {
    const { oldestAtMs } = this.#buffer
    const lagMs = oldestAtMs === undefined ? 0 : Math.max(0, this.#options.clock.nowMs() - oldestAtMs)
    return {
      events: this.#buffer.events + this.#recorded.length,
      bufferBytes: this.#buffer.sizeBytes,
      lagSeconds: lagMs / 1_000,
      uploadedAtMs: this.#uploadedAtMs,
      failure: this.#failure,
    }
  }

  /** Encodes what there is and uploads it for as long as one request may take; a buffer on disk keeps the rest. */
  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#encoding !== undefined) await this.#encoding
    await this.#uploader.close(this.#options.config.service.timeoutMs)
    await this.#buffer[Symbol.asyncDispose]()
  }

  /** Events that the buffer has room for. */
  #room(): number {
    const { limitBytes, limitEvents } = this.#options.config.buffer
    const { events, sizeBytes } = this.#buffer
    const eventBytes = events === 0 ? ASSUMED_EVENT_BYTES : sizeBytes / events
    const free = Math.min(limitEvents - events, Math.ceil((limitBytes - sizeBytes) / eventBytes))
    return free - this.#recorded.length
  }

  #startEncoding(): void {
    if (this.#encoding !== undefined || this.#recorded.length === 0) return
    this.#encoding = this.#encodeAll()
      .catch((cause: unknown) => this.#options.onEvent({ type: 'encoding_failed', cause }))
      .finally(() => {
        this.#encoding = undefined
        // What was recorded since the last look.
        this.#startEncoding()
      })
  }

  async #encodeAll(): Promise<void> {
    while (this.#recorded.length > 0) {
      // Whoever made the decision goes first, and other calls between any two turns.
      await setImmediate()
      const encoded = await this.#takeTurn()
      if (encoded.length > 0) {
        this.#buffer.append(encoded, this.#options.clock.nowMs())
        this.#uploader.added()
      }
      this.#waitingRoom.look()
    }
  }

  async #takeTurn(): Promise<readonly Buffer[]> {
    const { clock } = this.#options
    const startedMs = clock.monotonicMs()
    const encoded: Buffer[] = []
    let taken = 0
    for (const recorded of this.#recorded) {
      const event = await this.#encode(recorded)
      if (event !== undefined) encoded.push(event)
      taken += 1
      if (clock.monotonicMs() - startedMs >= TURN_MS) break
    }
    this.#recorded = this.#recorded.slice(taken)
    return encoded
  }

  async #encode({ decision, rules, number }: Recorded): Promise<Buffer | undefined> {
    const { labels, onEvent } = this.#options
    try {
      const prepared = await prepareEvent(decisionEvent(decision, labels, number), rules)
      if (prepared.kind === 'dropped') {
        onEvent({ type: 'dropped', why: 'rule' })
        return undefined
      }
      for (const failure of prepared.failures) onEvent({ type: 'rule_failed', failure })
      const event = Buffer.from(JSON.stringify(prepared.event))
      onEvent({ type: 'encoded' })
      return event
    } catch (cause) {
      onEvent({ type: 'encoding_failed', cause })
      return undefined
    }
  }

  #uploadEvent(event: UploadEvent): void {
    if (event.type === 'uploaded' || event.type === 'too_large') this.#waitingRoom.look()
    if (event.type === 'uploaded') this.#uploadedAtMs = this.#options.clock.nowMs()
    if (event.type === 'upload_done') this.#failure = undefined
    if (event.type === 'upload_failed')
      this.#failure = { message: event.error.message, httpStatus: event.httpStatus }
    this.#options.onEvent(event)
  }
}
