import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { renderRefusal } from '../dialects/dialect.ts'
import type { CallId, Unparsed } from '../exchange.ts'
import { GatewayFault } from '../fault.ts'
import type { Clock } from '../lib/clock.ts'
import type { Refusal, RefusalCode } from '../refusal.ts'
import type { Connections } from './connections.ts'

export interface UnparsedOptions {
  readonly connections: Connections
  readonly nextCallId: () => CallId
  readonly clock: Clock
  readonly events: { unparsed(unparsed: Unparsed): void }
}

const CODES: ReadonlyMap<string, RefusalCode> = new Map([
  ['HPE_HEADER_OVERFLOW', 'request.headers_too_large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', 'request.timeout'],
  ['HPE_INVALID_TRANSFER_ENCODING', 'request.ambiguous'],
  ['HPE_UNEXPECTED_CONTENT_LENGTH', 'request.ambiguous'],
])

/** How long the rest of a broken request is swallowed, so that the reply is not lost to a reset. */
const LINGER_MS = 1000

/**
 * Handles what Node could not make a request of: the error of its parser or timers, or `undefined` for CONNECT. Where
 * the body of a call broke, that call is ended with the refusal; else the bytes get a call id and a record of their own.
 */
export function createUnparsedHandler({
  connections,
  nextCallId,
  clock,
  events,
}: UnparsedOptions): (error: NodeJS.ErrnoException | undefined, socket: Socket) => void {
  return (error, socket) => {
    // After CONNECT the socket is nobody's but ours, and an error without a listener ends the process.
    if (error === undefined) socket.on('error', () => socket.destroy())
    // More bytes of the same broken request.
    if (!connections.break(socket)) return
    if (error?.code === 'ECONNRESET' || error?.code === 'EPIPE' || !socket.writable) {
      socket.destroy()
      return
    }
    const refusal = refusalOfParseError(error)
    const call = connections.latest(socket)
    if (error === undefined && call !== undefined && !call.response.writableFinished) {
      // Node no longer tells this call that its client left, so it ends now.
      call.controller.abort(new GatewayFault(refusal.code, 'CONNECT behind a call'))
      socket.destroy()
      return
    }
    if (call !== undefined && !call.request.complete) {
      // A body that ends too soon is a client that left; it is `client.gone`, as when it resets.
      if (call.response.writableFinished || error?.code === 'HPE_INVALID_EOF_STATE') socket.destroy()
      else call.controller.abort(new GatewayFault(refusal.code, 'the request broke off', { cause: error }))
      return
    }
    const callId = nextCallId()
    const receivedAtMs = clock.nowMs()
    const peerAddress = socket.remoteAddress ?? ''
    let status = 0
    if (call === undefined || call.response.writableFinished) {
      status = refuseOnSocket(socket, refusal, callId, receivedAtMs)
    } else call.response.once('close', () => socket.destroySoon())
    events.unparsed({ callId, refusal, receivedAtMs, peerAddress, status })
  }
}

/** The refusal for an error of Node's parser or of its timers; `undefined` is CONNECT. */
function refusalOfParseError(error: NodeJS.ErrnoException | undefined): Refusal {
  if (error === undefined) return { code: 'request.target_invalid', detail: 'CONNECT' }
  const detail = error.code ?? error.message
  return { code: CODES.get(detail) ?? 'request.malformed', detail }
}

/** Answers on the bare socket, where there is no request to answer, and closes. Returns the status sent. */
function refuseOnSocket(socket: Socket, refusal: Refusal, callId: CallId, nowMs: number): number {
  const { status, headers, body } = renderRefusal('problem', { refusal, callId, limits: [], nowMs })
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `Date: ${new Date(nowMs).toUTCString()}`,
    `Content-Length: ${body.length}`,
    'Cache-Control: no-store',
    `Toolgate-Call-Id: ${callId}`,
    'Toolgate-Decision: deny',
    'Connection: close',
  ]
  for (let index = 0; index < headers.length; index += 2)
    lines.push(`${headers[index]}: ${headers[index + 1]}`)
  socket.end(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]))
  setTimeout(() => socket.destroy(), LINGER_MS).unref()
  return status
}
