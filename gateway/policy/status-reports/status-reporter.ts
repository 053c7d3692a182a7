import type { StatusReportsConfig } from '../../config/decision-log-config.ts'
import { requestService } from '../service-request.ts'
import { retryDelayMs } from '../retry-delay.ts'
import type { StatusReport } from './status-report.ts'

/** Several things change at once when a bundle does: they are one report. */
const SETTLE_MS = 50
const LONGEST_RETRY_MS = 60_000
/** A control plane takes one that is silent for dead: OPA reports with each poll of a bundle, so about this often. */
const SILENCE_MS = 60_000

export interface StatusReporterOptions {
  readonly config: StatusReportsConfig
  readonly token: (() => string) | undefined
  /** The state now; asked for right before it is sent. */
  readonly report: () => Promise<StatusReport>
  readonly onEvent: (event: StatusReporterEvent) => void
}

export type StatusReporterEvent =
  | { readonly type: 'reported' }
  /** Told once until a report gets through again. */
  | { readonly type: 'report_failed'; readonly error: Error; readonly again: boolean }

/**
 * Tells a control plane the state of this gateway whenever it changes. Only the newest state is worth sending, so there
 * is no queue: what changes while a report is on its way, or waits to be sent again, is in the next one.
 */
export class StatusReporter implements AsyncDisposable {
  readonly #options: StatusReporterOptions
  readonly #closing = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #sending: Promise<void> | undefined
  #changed = false
  #failures = 0

  constructor(options: StatusReporterOptions) {
    this.#options = options
  }

  get failing(): boolean {
    return this.#failures > 0
  }

  /** Something that reports tell has changed. Returns at once. */
  changed(): void {
    const known = this.#changed || this.#failures > 0
    this.#changed = true
    if (!known && this.#sending === undefined) this.#schedule(SETTLE_MS)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer)
    this.#closing.abort()
    await this.#sending
  }

  #schedule(delayMs: number): void {
    if (this.#closing.signal.aborted) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#sending = this.#send().finally(() => {
        this.#sending = undefined
        if (this.#failures > 0) this.#schedule(retryDelayMs(this.#failures, LONGEST_RETRY_MS))
        else this.#schedule(this.#changed ? SETTLE_MS : SILENCE_MS * (1 + Math.random()))
      })
    }, delayMs)
    this.#timer.unref()
  }

  async #send(): Promise<void> {
    const { onEvent } = this.#options
    this.#changed = false
    try {
      await this.#post()
      this.#failures = 0
      onEvent({ type: 'reported' })
    } catch (thrown) {
      if (this.#closing.signal.aborted) return
      this.#failures += 1
      const error = thrown instanceof Error ? thrown : new Error(String(thrown))
      onEvent({ type: 'report_failed', error, again: this.#failures > 1 })
    }
  }

  async #post(): Promise<void> {
    const { config, token, report } = this.#options
    const body = Buffer.from(JSON.stringify(await report()))
    const response = await requestService(config.service, {
      method: 'POST',
      resource: config.resource,
      headers: { 'content-type': 'application/json', 'content-length': String(body.length) },
      body,
      token,
      signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(config.service.timeoutMs)]),
    })
    response.destroy()
    const { statusCode = 0 } = response
    if (statusCode < 200 || statusCode > 299) throw new Error(`the status service answered ${statusCode}`)
  }
}
