import type { Clock } from '../lib/clock.ts'
import { retryDelayMs } from '../policy/retry-delay.ts'
import type { NotifyEvent } from './event.ts'
import { DeliveryError, type NotifyTarget } from './target.ts'

const LONGEST_PAUSE_MS = 30_000
/** How long an end waits for what is on its way. */
const LAST_WAIT_MS = 2_000

/**
 * What became of an event: told; refused for good; given up because its target took nothing for too long; pushed out by
 * newer ones; or left over at the end of the process.
 */
export const DELIVERY_RESULTS = ['delivered', 'refused', 'given_up', 'overflowed', 'stopped'] as const
export type DeliveryResult = (typeof DELIVERY_RESULTS)[number]

export type QueueEvent =
  | { readonly type: 'ended'; readonly event: NotifyEvent; readonly result: DeliveryResult }
  /** It is tried again. */
  | { readonly type: 'failed'; readonly cause: unknown }
  | { readonly type: 'recovered' }

export interface DeliveryQueueOptions {
  readonly target: NotifyTarget
  readonly limitEvents: number
  readonly giveUpMs: number
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly onEvent: (event: QueueEvent) => void
}

interface Waiting {
  readonly event: NotifyEvent
  readonly sinceMs: number
}

/** Tells one target of one event after the other, in their order, for as long as they are worth telling. */
export class DeliveryQueue implements AsyncDisposable {
  readonly #options: DeliveryQueueOptions
  readonly #waiting: Waiting[] = []
  readonly #closing = new AbortController()
  #current: Waiting | undefined
  #failures = 0
  #running: Promise<void> | undefined
  #endPause: () => void = () => undefined

  constructor(options: DeliveryQueueOptions) {
    this.#options = options
  }

  add(event: NotifyEvent): void {
    this.#add({ event, sinceMs: this.#options.clock.monotonicMs() })
  }

  state(): { readonly events: number; readonly lagSeconds: number } {
    const oldest = this.#current ?? this.#waiting[0]
    const lagMs = oldest === undefined ? 0 : this.#options.clock.monotonicMs() - oldest.sinceMs
    return { events: this.#waiting.length + Number(this.#current !== undefined), lagSeconds: lagMs / 1_000 }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close(undefined)
  }

  /**
   * Waits a little for a target that takes what it is told, and not at all for one that does not. What is left goes to
   * `successor`, as old as it is.
   */
  async close(successor: DeliveryQueue | undefined): Promise<void> {
    const { promise: waited, resolve: stopWaiting } = Promise.withResolvers<void>()
    const timer = setTimeout(stopWaiting, this.#failures > 0 ? 0 : LAST_WAIT_MS)
    await Promise.race([this.#running, waited])
    clearTimeout(timer)
    this.#closing.abort()
    this.#endPause()
    await this.#running
    for (const left of this.#waiting.splice(0)) {
      if (successor === undefined) this.#end(left.event, 'stopped')
      else successor.#add(left)
    }
    await this.#options.target[Symbol.asyncDispose]()
  }

  #add(waiting: Waiting): void {
    if (this.#closing.signal.aborted) return this.#end(waiting.event, 'stopped')
    if (this.#waiting.length >= this.#options.limitEvents) {
      const oldest = this.#waiting.shift()
      if (oldest !== undefined) this.#end(oldest.event, 'overflowed')
    }
    this.#waiting.push(waiting)
    this.#running ??= this.#run()
  }

  async #run(): Promise<void> {
    // Whoever has something to tell goes on first.
    await Promise.resolve()
    while (!this.#closing.signal.aborted) {
      this.#current ??= this.#waiting.shift()
      if (this.#current === undefined) break
      await this.#attempt(this.#current)
    }
    if (this.#current !== undefined) this.#waiting.unshift(this.#current)
    this.#current = undefined
    this.#running = undefined
  }

  async #attempt({ event, sinceMs }: Waiting): Promise<void> {
    const { target, clock, giveUpMs, onEvent } = this.#options
    try {
      await target.deliver(event, this.#closing.signal)
      if (this.#failures > 0) onEvent({ type: 'recovered' })
      this.#failures = 0
      this.#current = undefined
      this.#end(event, 'delivered')
    } catch (cause) {
      if (this.#closing.signal.aborted) return
      this.#failures += 1
      onEvent({ type: 'failed', cause })
      const known = cause instanceof DeliveryError ? cause : undefined
      const isFinal = known?.retry === 'never'
      if (isFinal || clock.monotonicMs() - sinceMs >= giveUpMs) {
        this.#current = undefined
        this.#end(event, isFinal ? 'refused' : 'given_up')
        if (isFinal) return
      }
      const delayMs = retryDelayMs(this.#failures, LONGEST_PAUSE_MS)
      await this.#pause(Math.max(delayMs, Math.min(known?.afterMs ?? 0, giveUpMs)))
    }
  }

  #end(event: NotifyEvent, result: DeliveryResult): void {
    this.#options.onEvent({ type: 'ended', event, result })
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs).unref()
      this.#endPause = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
