import type { Redis } from 'ioredis'
import type { ApprovalId } from '../approvals/approval.ts'
import { ChangeCallbacks } from './change-callbacks.ts'

export interface ApprovalFeedOptions {
  /** A connection of its own: one that listens can do nothing else. */
  readonly listener: Redis
  readonly channel: string
  /** Which of these wait for people no longer; rejects when the store does not answer. */
  readonly over: (ids: readonly string[]) => Promise<readonly string[]>
  /** How often that is asked, for messages that were lost. */
  readonly lookAgainMs: number
}

/** Asked about in one trip, which holds the store up for about a millisecond. */
const ASKED_AT_ONCE = 500

/**
 * Hears of changes: by message within a millisecond, and by asking about all that are watched together, because a message
 * to a connection that is gone is lost without a trace.
 */
export class ApprovalFeed implements Disposable {
  readonly #options: ApprovalFeedOptions
  readonly #callbacks = new ChangeCallbacks()
  readonly #poll: NodeJS.Timeout
  readonly #stopListening: () => void
  #looking = false

  constructor(options: ApprovalFeedOptions) {
    this.#options = options
    this.#stopListening = this.#listen()
    // Gateways that were started together do not ask in step.
    const everyMs = options.lookAgainMs * (0.75 + Math.random() / 2)
    this.#poll = setInterval(() => void this.#look(), everyMs).unref()
  }

  watch(id: ApprovalId, onChange: () => void): () => void {
    return this.#callbacks.watch(id, onChange)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#poll)
    this.#stopListening()
  }

  #listen(): () => void {
    const { listener, channel } = this.#options
    const onMessage = (_channel: string, id: string): void => this.#callbacks.changed(id)
    // A connection that was lost may have missed anything.
    const subscribe = (): void =>
      void listener.subscribe(channel).then(
        () => this.#callbacks.allChanged(),
        () => {},
      )
    listener.on('message', onMessage).on('ready', subscribe)
    if (listener.status === 'ready') subscribe()
    return () => void listener.off('message', onMessage).off('ready', subscribe)
  }

  /** One at a time; what a store that does not answer has to tell, the next one finds. */
  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      const ids = this.#callbacks.watched()
      for (let at = 0; at < ids.length; at += ASKED_AT_ONCE) {
        const over = await this.#options.over(ids.slice(at, at + ASKED_AT_ONCE))
        for (const id of over) this.#callbacks.changed(id)
      }
    } catch {
      // Whoever reads an approval meanwhile is told that the store is away.
    } finally {
      this.#looking = false
    }
  }
}
