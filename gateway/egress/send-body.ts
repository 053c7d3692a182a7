import { createHash, hash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { BodySink, UpstreamBody } from './upstream.ts'
import { endAfterBody, hasUnreadBody } from '../listen/linger.ts'

const NOTHING = Buffer.alloc(0)
const ONE_PIECE_BYTES = 16 * 1024

/** How the body of a reply left, and what of it did. */
export interface SentBody {
  readonly end: 'whole' | 'truncated' | 'client_gone'
  readonly bytes: number
  /** Hex SHA-256 of the bytes handed to the caller's connection; empty when there were none. */
  readonly digest: string
  readonly cause: Error | undefined
}

export interface SendOptions {
  /** How long a caller may leave bytes unread before it is taken for gone. */
  readonly stallTimeoutMs: number
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
  { stallTimeoutMs, through }: SendOptions,
): Promise<SentBody> {
  return new Promise((resolve) => {
    const digest = createHash('sha256')
    let bytes = 0
    let settled = false
    let stall: NodeJS.Timeout | undefined

    const settle = (end: SentBody['end'], cause?: Error): void => {
      if (settled) return
      settled = true
      clearTimeout(stall)
      response.off('drain', onDrain).off('close', onClose).off('finish', onFinish)
      resolve({ end, bytes, digest: bytes === 0 ? '' : digest.digest('hex'), cause })
    }
    const onDrain = (): void => {
      clearTimeout(stall)
      body.resume()
    }
    const onClose = (): void => {
      body.abort()
      settle('client_gone')
    }
    const onFinish = (): void => settle('whole')
    const sink: BodySink = {
      write: (chunk) => {
        // Writing to a response that is being torn down would be an error event that nobody hears.
        if (settled || response.destroyed) return false
        bytes += chunk.length
        digest.update(chunk)
        const wantsMore = response.write(chunk)
        if (!wantsMore) {
          clearTimeout(stall)
          stall = setTimeout(() => response.destroy(), stallTimeoutMs)
        }
        return wantsMore
      },
      end: () => {
        if (!settled && !response.destroyed) finish(response, NOTHING)
      },
      fail: (cause) => {
        // A caller that leaves takes the exchange with the upstream along, which is how that one learns of it.
        if (response.destroyed) onClose()
        if (settled) return
        settle('truncated', cause)
        breakOff(response)
      },
    }
    if (response.destroyed) {
      onClose()
      return
    }
    response.on('drain', onDrain).once('close', onClose).once('finish', onFinish)
    body.consume(through(sink))
    // Nothing has come yet: the caller learns the status now, not with the first event.
    if (bytes === 0 && !settled && !response.writableEnded) response.flushHeaders()
  })
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
