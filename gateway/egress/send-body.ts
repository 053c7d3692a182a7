import { createHash, hash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { BodySink, UpstreamBody } from '../exchange.ts'

const NOTHING = Buffer.alloc(0)

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
  readonly finish: Finish
}

/** Writes the last bytes and ends the response; a request that is not yet read may want more than `end()`. */
export type Finish = (response: ServerResponse, last: Buffer) => void

/** Sends a body that is there whole, in one write with the header section. */
export function sendWhole(response: ServerResponse, body: Buffer, finish: Finish): SentBody {
  const gone = response.destroyed
  finish(response, body)
  return {
    end: gone ? 'client_gone' : 'whole',
    bytes: gone ? 0 : body.length,
    digest: gone || body.length === 0 ? '' : hash('sha256', body),
    cause: undefined,
  }
}

/**
 * Streams a body as it comes, each piece at once, no faster than the caller reads. Resolves when the last byte was
 * handed to the system or when either side broke off; then the other side is broken off too. Never rejects.
 */
export function sendStream(
  body: UpstreamBody,
  response: ServerResponse,
  { stallTimeoutMs, through, finish }: SendOptions,
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
        if (settled) return false
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
        if (!settled) finish(response, NOTHING)
      },
      fail: (cause) => {
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

/** Ends the connection so that the caller cannot take what it got for the whole. */
function breakOff(response: ServerResponse): void {
  const { socket } = response
  // To an HTTP/1.0 client the end of the connection may be the end of the body (RFC 9112 §6.3); a reset never is.
  if (response.req.httpVersion === '1.0' && socket !== null && !('encrypted' in socket))
    socket.resetAndDestroy()
  else response.destroy()
}
