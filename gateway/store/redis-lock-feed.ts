import type { Redis } from 'ioredis'

export interface LockFeedOptions {
  /** Answers commands. */
  readonly client: Redis
  /** A connection of its own: one that listens can do nothing else. */
  readonly listener: Redis
  readonly channel: string
  /** Asks the store whether anything has changed, and takes what has; rejects when it does not answer. */
  readonly look: () => Promise<void>
  /** The newest epoch that was taken. */
  readonly epoch: () => number
  readonly onFailure: (cause: unknown) => void
}

/** A change whose message was lost is found within this, and what takes longer than the other is not waited for. */
const POLL_MS = 500
const FAILURES_TO_RECONNECT = 2

/**
 * Hears of changes: by message within a millisecond, and by asking, because a message to a connection that is gone is lost
 * without a trace. What is silent for too long, or hears nothing of changes that were found by asking, is connected anew.
 */
export class LockFeed implements Disposable {
  readonly #options: LockFeedOptions
  readonly #poll: NodeJS.Timeout
  #looking: Promise<void> | undefined
  #lookAgain = false
  #failures = 0
  #toldEpoch = 0
  #missedEpoch = 0

  constructor(options: LockFeedOptions) {
    this.#options = options
    const { client, listener, channel } = options
    listener.on('message', (_channel: string, epoch: string) => {
      this.#toldEpoch = Math.max(this.#toldEpoch, Number(epoch))
      void this.look()
    })
    // A connection that was lost may have missed anything: subscribed first, then asked, nothing falls between.
    const subscribe = (): void => {
      this.#missedEpoch = 0
      listener.subscribe(channel).then(() => this.look(), options.onFailure)
    }
    listener.on('ready', subscribe)
    if (listener.status === 'ready') subscribe()
    client.on('ready', () => void this.look())
    this.#poll = setInterval(() => void this.#ask(), POLL_MS).unref()
  }

  /** One at a time; what changes while one is on its way is looked at once more after it. */
  look(): Promise<void> {
    if (this.#looking !== undefined) {
      this.#lookAgain = true
      return this.#looking
    }
    this.#looking = this.#lookOnce().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  [Symbol.dispose](): void {
    clearInterval(this.#poll)
  }

  async #lookOnce(): Promise<void> {
    do {
      this.#lookAgain = false
      try {
        await this.#options.look()
        this.#failures = 0
      } catch (cause) {
        this.#failures += 1
        this.#options.onFailure(cause)
      }
    } while (this.#lookAgain && this.#failures === 0)
  }

  async #ask(): Promise<void> {
    const { client, listener, epoch } = this.#options
    // It was there at the last poll, and no message has told of it since.
    const deaf = this.#missedEpoch > this.#toldEpoch
    if (deaf && listener.status === 'ready') listener.disconnect(true)
    await this.look()
    this.#missedEpoch = epoch()
    if (this.#failures < FAILURES_TO_RECONNECT || client.status !== 'ready') return
    // Half-open connections look well to both sides for as long as nobody sends.
    this.#failures = 0
    client.disconnect(true)
    if (listener.status === 'ready') listener.disconnect(true)
  }
}
