import type { BundleServiceConfig } from '../../config/policy-config.ts'
import type { Clock } from '../../lib/clock.ts'
import { BundleError } from './bundle-error.ts'
import { SourceHistory } from './bundle-source.ts'
import type { BundleSource, OfferedBundle, SourceStatus, Taking } from './bundle-source.ts'
import { fetchBundle } from './fetch-bundle.ts'
import { keptBundle } from './kept-bundle.ts'
import type { KeptBundle } from './kept-bundle.ts'
import { retryDelayMs } from '../retry-delay.ts'
import { serviceUrl } from '../service-request.ts'

export interface BundleServiceOptions {
  readonly config: BundleServiceConfig
  /** The bearer token; asked for at every request. */
  readonly token?: (() => string) | undefined
  readonly clock: Clock
  /** Whether a bundle in force is kept on disk for the next start: written and read, only read, or neither. */
  readonly keep: 'always' | 'reads' | 'never'
  /** The bundle in force could not be kept for the next start. */
  readonly onNotKept: (error: Error) => void
}

/** Shortest time from one long poll to the next, for services that answer at once instead of waiting. */
const LONG_POLL_PAUSE_MS = 1000

/**
 * Bundles over HTTP, by the protocol of OPA's bundle service: polled at random moments, or waited for where the
 * service says that it can hold a request; the last bundle in force is kept on disk.
 *
 * @see https://www.openpolicyagent.org/docs/management-bundles#bundle-service-api
 */
export class BundleService implements BundleSource {
  readonly #options: BundleServiceOptions
  readonly #location: string
  readonly #kept: KeptBundle
  readonly #closing = new AbortController()
  readonly #history: SourceHistory
  #etag: string | undefined
  #longPoll = false
  #failures = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: BundleServiceOptions) {
    const { config, clock } = options
    this.#options = options
    this.#location = serviceUrl(config, config.resource).href
    this.#kept = keptBundle(config.directory, this.#location, config.maxBytes)
    this.#history = new SourceHistory(() => clock.nowMs())
  }

  async read(): Promise<OfferedBundle | undefined> {
    const { config, token } = this.#options
    const { signal } = this.#closing
    this.#history.asked()
    try {
      const fetched = await fetchBundle({ config, token, etag: this.#etag, waitMs: this.#waitMs(), signal })
      this.#failures = 0
      this.#history.answered(fetched.bytes !== undefined, fetched.bytes === undefined ? 304 : 200)
      this.#longPoll = fetched.longPoll ?? this.#longPoll
      return fetched.bytes && { bytes: fetched.bytes, version: fetched.etag }
    } catch (error) {
      this.#failures += 1
      this.#history.failed(error instanceof BundleError ? error.httpStatus : undefined)
      throw error
    }
  }

  async taken({ bytes, version }: OfferedBundle, changed: boolean): Promise<void> {
    const { config, keep, onNotKept } = this.#options
    this.#etag = version
    // A service without versions sends the same bundle again and again.
    if (keep !== 'always' || !changed) return
    try {
      await this.#kept.write(bytes)
    } catch (cause) {
      onNotKept(new Error(`the bundle cannot be kept in ${config.directory}`, { cause }))
    }
  }

  async kept(): Promise<Buffer | undefined> {
    return this.#options.keep === 'never' ? undefined : this.#kept.read()
  }

  follow(reload: () => Promise<Taking>): void {
    if (this.#failures > 0) this.#schedule(reload, this.#retryDelayMs())
    else this.#schedule(reload, this.#waitMs() > 0 ? 0 : this.#pollDelayMs())
  }

  status(): SourceStatus {
    return { kind: 'service', location: this.#location, ...this.#history.times() }
  }

  [Symbol.dispose](): void {
    this.#closing.abort()
    clearTimeout(this.#timer)
  }

  #schedule(reload: () => Promise<Taking>, delayMs: number): void {
    this.#timer = setTimeout(() => void this.#look(reload), delayMs)
    this.#timer.unref()
  }

  async #look(reload: () => Promise<Taking>): Promise<void> {
    const { clock } = this.#options
    const startedMs = clock.monotonicMs()
    const holds = this.#waitMs() > 0
    const failuresBefore = this.#failures
    const taking = await reload()
    if (this.#closing.signal.aborted) return
    if (this.#failures > failuresBefore) return this.#schedule(reload, this.#retryDelayMs())
    // A refused bundle would come back at once: only a version in force is worth waiting beside.
    const waits = (holds || this.#waitMs() > 0) && taking !== 'rejected'
    const pauseMs = LONG_POLL_PAUSE_MS - (clock.monotonicMs() - startedMs)
    this.#schedule(reload, waits ? Math.max(0, pauseMs) : this.#pollDelayMs())
  }

  #waitMs(): number {
    return this.#longPoll && this.#etag !== undefined ? (this.#options.config.longPollMs ?? 0) : 0
  }

  #pollDelayMs(): number {
    const { pollMinMs, pollMaxMs } = this.#options.config
    return pollMinMs + Math.random() * (pollMaxMs - pollMinMs)
  }

  #retryDelayMs(): number {
    return retryDelayMs(this.#failures, this.#options.config.pollMaxMs)
  }
}
