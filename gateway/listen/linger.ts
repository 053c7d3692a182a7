import type { IncomingMessage, ServerResponse } from 'node:http'

/** An unread body up to this size is swallowed to keep the connection; for a larger one a new connection is cheaper. */
const KEEP_ALIVE_BODY_BYTES = 65_536
const LINGER_BYTES = 16 * 1_048_576
const LINGER_MS = 1000

/** Whether some of the body is still to come. A request without one is not `complete` yet when it is handed over. */
export function isBodyComing(request: IncomingMessage): boolean {
  if (request.complete) return false
  const { 'transfer-encoding': coding, 'content-length': length } = request.headers
  return coding !== undefined || Number(length ?? 0) > 0
}

/** Whether so much of the body is still to come that the connection should end with the reply. */
export function hasUnreadBody(request: IncomingMessage): boolean {
  if (request.complete) return false
  if (request.headers['transfer-encoding'] !== undefined) return true
  return Number(request.headers['content-length'] ?? 0) > KEEP_ALIVE_BODY_BYTES
}

/**
 * Sends `body` as the whole reply, then swallows a bounded part of the request before the connection closes. Closed
 * at once, the bytes still arriving would be answered with a reset, which takes the reply out of the client's hands
 * before it was read (RFC 9112 §9.6).
 */
export function endAfterBody(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  let swallowedBytes = 0
  const end = (): void => {
    clearTimeout(timer)
    request.off('data', swallow)
    response.end()
  }
  const swallow = (chunk: Buffer): void => {
    swallowedBytes += chunk.length
    if (swallowedBytes > LINGER_BYTES) end()
  }
  const timer = setTimeout(end, LINGER_MS)
  response.write(body)
  request.on('data', swallow).once('end', end).once('close', end)
  request.resume()
}
