import type { Dispatcher } from 'undici'
import type { BodySink, UpstreamBody } from './upstream.ts'
import { stripped, UpstreamError } from './upstream-error.ts'
import type { Phase } from './upstream-error.ts'

/** Read ahead before somebody consumes the body; one read of a socket. */
const READ_AHEAD_BYTES = 64 * 1024

/** How a request ended before or at the reply's header section. */
export type ExchangeResult =
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly headers: readonly string[]
      readonly body: UpstreamBody
    }
  | { readonly kind: 'failed'; readonly error: unknown; readonly phase: Phase }
  | { readonly kind: 'abandoned' }

/**
 * One request on its way through undici, and then the body of its answer. A handler of its own instead of
 * `undici.request`, because a reply that arrives in one read then needs no stream, and headers keep their case,
 * order and duplicates.
 */
export class UpstreamExchange implements Dispatcher.DispatchHandler, UpstreamBody {
  readonly #settle: (result: ExchangeResult) => void
  #controller: Dispatcher.DispatchController | undefined
  #phase: Phase = 'waiting'
  #answered = false
  #ended = false
  #aborted = false
  #released = false
  #failure: UpstreamError | undefined
  #waitTimer: NodeJS.Timeout | undefined
  #sink: BodySink | undefined
  #chunks: Buffer[] = []
  #heldBytes = 0

  constructor(signal: AbortSignal, settle: (result: ExchangeResult) => void) {
    this.#settle = settle
    signal.addEventListener('abort', this.#abandon, { once: true })
  }

  /**
   * Gives up when no connection was had within `timeoutMs`: undici counts its own timeouts from the moment a
   * request has a connection, so one that waits behind others would wait without end.
   */
  limitWait(timeoutMs: number, codeOf: () => string): void {
    if (this.#phase !== 'waiting' || this.#aborted || this.#failure !== undefined) return
    this.#waitTimer = setTimeout(() => this.#fail(new UpstreamError(codeOf())), timeoutMs)
  }

  get whole(): Buffer | undefined {
    if (!this.#ended) return undefined
    return this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks, this.#heldBytes)
  }

  consume(sink: BodySink): void {
    const held = this.#chunks
    this.#chunks = []
    this.#heldBytes = 0
    let wantsMore = true
    for (const chunk of held) wantsMore = sink.write(chunk)
    this.#sink = sink
    if (this.#failure !== undefined) sink.fail(this.#failure)
    else if (this.#ended) sink.end()
    else if (wantsMore) this.resume()
    else this.#controller?.pause()
  }

  resume(): void {
    if (!this.#ended && !this.#aborted) this.#controller?.resume()
  }

  abort(): void {
    if (this.#ended || this.#aborted) return
    this.#aborted = true
    this.#release()
    this.#sink = undefined
    this.#chunks = []
    this.#controller?.abort(new UpstreamError('ABORTED'))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    clearTimeout(this.#waitTimer)
    // Left while it stood in the queue, from which undici takes nothing out.
    if (this.#aborted) {
      controller.abort(new UpstreamError('ABORTED'))
      return
    }
    this.#controller = controller
    this.#phase = 'sent'
  }

  onResponseStarted(): void {
    this.#phase = 'answering'
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    // RFC 9110 §15.2: interim answers that nobody asked for may be ignored.
    if (status < 200 || this.#aborted) return
    this.#answered = true
    this.#settle({ kind: 'answered', status, headers: flatHeaders(controller.rawHeaders), body: this })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#aborted) return
    if (this.#sink !== undefined) {
      if (!this.#sink.write(chunk)) controller.pause()
      return
    }
    this.#chunks.push(chunk)
    this.#heldBytes += chunk.length
    if (this.#heldBytes >= READ_AHEAD_BYTES) controller.pause()
  }

  onResponseEnd(): void {
    if (this.#aborted) return
    this.#ended = true
    this.#release()
    this.#sink?.end()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error)
  }

  #fail(error: Error): void {
    if (this.#aborted || this.#ended || this.#failure !== undefined) return
    this.#release()
    this.#failure = stripped(error)
    if (this.#answered) {
      this.#sink?.fail(this.#failure)
      return
    }
    // Whatever may still happen to a request that stands in the queue, nobody listens any more.
    this.#aborted = true
    this.#settle({ kind: 'failed', error, phase: this.#phase })
  }

  readonly #abandon = (): void => {
    if (this.#released) return
    const sink = this.#sink
    if (this.#answered) this.#failure = new UpstreamError('ABANDONED')
    else this.#settle({ kind: 'abandoned' })
    this.abort()
    // The caller may still be there, when it was the gateway that cut the call short.
    if (this.#failure !== undefined) sink?.fail(this.#failure)
  }

  /** The listener stays with the signal, which ends with the call: taking it away costs more than ignoring it. */
  #release(): void {
    clearTimeout(this.#waitTimer)
    this.#released = true
  }
}

/** The header section as text; Latin-1, so that every byte goes out again as it came. */
function flatHeaders(raw: Dispatcher.DispatchController['rawHeaders']): string[] {
  if (!Array.isArray(raw)) return []
  return raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')))
}
