import { GatewayFault } from '../fault.ts'
import type { RefusalCode } from '../refusal.ts'

/**
 * What went wrong with an upstream, fit for a log: the code and nothing else. Errors of the HTTP client may hold
 * request options or bytes of the reply, and with them a credential, so they never travel on as a `cause`.
 */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError'
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

/** How far a request got: no connection yet, perhaps partly on the wire, or an answer has begun. */
export type Phase = 'waiting' | 'sent' | 'answering'

/** No connection was had in time: all are in use, or a new one is still being made. */
export const ALL_IN_USE = 'TOOLGATE_ALL_CONNECTIONS_IN_USE'
export const STILL_CONNECTING = 'TOOLGATE_STILL_CONNECTING'
/** The caller's body broke off while it was being sent on. */
export const REQUEST_BODY_BROKEN = 'TOOLGATE_REQUEST_BODY_BROKEN'
export const REPLY_TOO_LARGE = 'TOOLGATE_REPLY_TOO_LARGE'

const REFUSALS_BY_CODE: ReadonlyMap<string, RefusalCode> = new Map<string, RefusalCode>([
  ['TOOLGATE_ADDRESS_DENIED', 'upstream.address_denied'],
  [ALL_IN_USE, 'gateway.overloaded'],
  [REQUEST_BODY_BROKEN, 'request.malformed'],
  ['UND_ERR_REQ_CONTENT_LENGTH_MISMATCH', 'request.malformed'],
  ['UND_ERR_HEADERS_TIMEOUT', 'upstream.timeout'],
  ['UND_ERR_BODY_TIMEOUT', 'upstream.timeout'],
  ['UND_ERR_CLOSED', 'gateway.draining'],
  ['UND_ERR_DESTROYED', 'gateway.draining'],
  ['UND_ERR_INVALID_ARG', 'gateway.fault'],
  ['UND_ERR_NOT_SUPPORTED', 'gateway.fault'],
])

/** Strips an error of the HTTP client, a socket or TLS down to its code. */
export function stripped(error: unknown): UpstreamError {
  if (error instanceof UpstreamError) return error
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return new UpstreamError(typeof code === 'string' && /^\w{1,64}$/.test(code) ? code : 'UNKNOWN')
}

/**
 * The refusal that a failed exchange becomes. Before anything was sent the upstream was not reached, and asking
 * again is safe; after that an upstream that broke off may have acted, so the code must not invite a repetition.
 */
export function refusalCodeOfUpstream(error: unknown, phase: Phase): RefusalCode {
  if (error instanceof GatewayFault) return error.code
  const known = REFUSALS_BY_CODE.get(stripped(error).code)
  return known ?? (phase === 'waiting' ? 'upstream.unreachable' : 'upstream.protocol')
}
