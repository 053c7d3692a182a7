import { createHash, hash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { BodySink, UpstreamBody } from './upstream.ts'
import { REPLY_TOO_LARGE, UpstreamError } from './upstream-error.ts'
import { GatewayFault } from '../fault.ts'
import { endAfterBody, hasUnreadBody } from '../listen/linger.ts'

const NOTHING = Buffer.alloc(0)
const ONE_PIECE_BYTES = 16 * 1024

/** How the body of a reply left, and what of it did. */
export interface SentBody {
  readonly end: 'whole' | 'truncated' | 'too_large' | 'client_gone'
  readonly bytes: number
  /** Hex SHA-256 of the bytes handed to the caller's connection; empty when there were none. */
  readonly digest: string
  /** A `GatewayFault` where the gateway ended the call. */
  readonly cause: Error | undefined
}

export interface SendOptions {
  /** How long a caller may leave bytes unread before it is taken for gone. */
  readonly stallTimeoutMs: number
  /** A body that grows beyond is broken off; infinite where nothing bounds it. */
  readonly maxBytes: number
  /** Breaks the body off when the gateway ends the call; that the caller left shows at the response. */
  readonly signal: AbortSignal
  /** Puts a rewriter between the upstream and the caller. */
  readonly through: (sink: BodySink) => BodySink
}

/** Sends a body that is there whole, in one write with the header section. */
export function sendWhole(response: ServerResponse, body: Buffer): SentBody {
  if (response.destroyed) return { end: 'client_gone', bytes: 0, digest: '', cause: undefined }
  finish(response, body)
  const digest = body.length === 0 ? '' : hash('sha256', body)
  return { end: 'whole', bytes: body.length, digest, cause: undefined }
}

/**
 * Streams a body as it comes, each piece at once, no faster than the caller reads. Resolves when the last byte was
 * handed to the system or when either side broke off; then the other side is broken off too. Never rejects.
 */
export function sendStream(
  body: UpstreamBody,
  response: ServerResponse,
  options: SendOptions,
): Promise<SentBody> {
  return new Promise((resolve) => {
    new StreamedBody(body, response, options, resolve).start()
  })
}

/** A body on its way: what the upstream hands over, the caller is sent. */
class StreamedBody implements BodySink {
  readonly #body: UpstreamBody
  readonly #response: ServerResponse
  readonly #options: SendOptions
  readonly #resolve: (sent: SentBody) => void
  readonly #digest = createHash('sha256')
  #bytes = 0
  #settled = false
  #stall: NodeJS.Timeout | undefined

  constructor(
    body: UpstreamBody,
    response: ServerResponse,
    options: SendOptions,
    resolve: (sent: SentBody) => void,
  ) {
    this.#body = body
    this.#response = response
    this.#options = options
    this.#resolve = resolve
  }

  start(): void {
    const response = this.#response
    if (response.destroyed) return this.#onClose()
    response.on('drain', this.#onDrain).once('close', this.#onClose).once('finish', this.#onFinish)
    this.#options.signal.addEventListener('abort', this.#onAbort, { once: true })
    this.#body.consume(this.#options.through(this))
    // Nothing has come yet: the caller learns the status now, not with the first event.
    if (this.#bytes === 0 && !this.#settled && !response.writableEnded) response.flushHeaders()
  }

  write(chunk: Buffer): boolean {
    const response = this.#response
    // Writing to a response that is being torn down would be an error event that nobody hears.
    if (this.#settled || response.destroyed) return false
    if (this.#bytes + chunk.length > this.#options.maxBytes) {
      this.#body.abort()
      this.#breakOff('too_large', new UpstreamError(REPLY_TOO_LARGE))
      return false
    }
    this.#bytes += chunk.length
    this.#digest.update(chunk)
    const wantsMore = response.write(chunk)
    if (!wantsMore) {
      clearTimeout(this.#stall)
      this.#stall = setTimeout(() => response.destroy(), this.#options.stallTimeoutMs)
    }
    return wantsMore
  }

  end(): void {
    if (!this.#settled && !this.#response.destroyed) finish(this.#response, NOTHING)
  }

  fail(cause: Error): void {
    // A caller that leaves takes the exchange with the upstream along, which is how that one learns of it.
    if (this.#response.destroyed) this.#onClose()
    if (!this.#settled) this.#breakOff('truncated', endedBy(this.#options.signal) ?? cause)
  }

  #breakOff(end: 'truncated' | 'too_large', cause: Error): void {
    this.#settle(end, cause)
    breakOff(this.#response)
  }

  readonly #onDrain = (): void => {
    clearTimeout(this.#stall)
    this.#body.resume()
  }

  readonly #onClose = (): void => {
    this.#body.abort()
    this.#settle('client_gone')
  }

  readonly #onFinish = (): void => this.#settle('whole')

  /** The upstream may have sent all of it long ago to a caller that reads slowly. */
  readonly #onAbort = (): void => {
    const fault = endedBy(this.#options.signal)
    if (this.#settled || fault === undefined) return
    this.#body.abort()
    this.#breakOff('truncated', fault)
  }

  #settle(end: SentBody['end'], cause?: Error): void {
    if (this.#settled) return
    this.#settled = true
    clearTimeout(this.#stall)
    this.#response.off('drain', this.#onDrain).off('close', this.#onClose).off('finish', this.#onFinish)
    this.#options.signal.removeEventListener('abort', this.#onAbort)
    const digest = this.#bytes === 0 ? '' : this.#digest.digest('hex')
    this.#resolve({ end, bytes: this.#bytes, digest, cause })
  }
}

/** Why the gateway itself ended the call. */
function endedBy({ reason }: AbortSignal): GatewayFault | undefined {
  return reason instanceof GatewayFault ? reason : undefined
}

/** Writes the last bytes and ends the response. */
function finish(response: ServerResponse, last: Buffer): void {
  // An upstream may answer before it has read the request; the caller may still be sending it.
  if (hasUnreadBody(response.req)) endAfterBody(response.req, response, last)
  else if (last.length === 0) response.end()
  // As Latin-1, byte for byte the same, a small body leaves in one piece with the header section.
  else if (last.length <= ONE_PIECE_BYTES) response.end(last.toString('latin1'), 'latin1')
  else response.end(last)
}

/** Ends the connection so that the caller cannot take what it got for the whole. */
function breakOff(response: ServerResponse): void {
  const { socket } = response
  // To an HTTP/1.0 client the end of the connection may be the end of the body (RFC 9112 §6.3); a reset never is.
  if (response.req.httpVersion === '1.0' && socket !== null && !('encrypted' in socket))
    socket.resetAndDestroy()
  else response.destroy()
}
