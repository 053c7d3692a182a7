import type { IncomingMessage, ServerResponse } from 'node:http'
import { renderRefusal } from '../dialects/dialect.ts'
import type { DialectName } from '../dialects/dialect.ts'
import { retryAfterSeconds } from '../dialects/problem.ts'
import type { CallId, LimitState, Progress } from '../exchange.ts'
import type { Outcome } from '../outcome.ts'
import { isHold, type Refusal, type RefusalCode } from '../refusal.ts'
import { endAfterBody, hasUnreadBody, isBodyComing } from './linger.ts'
import type { Reply } from './reply.ts'

export interface ReplyOptions {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly dialect: DialectName
  readonly callId: CallId
  /** Whether the connection is to end with this reply; asked when the header section is written. */
  readonly closing: () => boolean
  /** `RateLimit` and `RateLimit-Policy` as a flat name, value list. */
  readonly rateLimitHeaders: (limits: readonly LimitState[]) => readonly string[]
  readonly nowMs: () => number
}

/** After these the two sides may disagree about where the next request begins. */
const FRAMING_IN_DOUBT: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'request.malformed',
  'request.ambiguous',
  'request.target_invalid',
  'request.headers_too_large',
  'request.expectation_unsupported',
  'request.timeout',
])

/** The way back to the caller for one request; see `Reply`. */
export function createReply(options: ReplyOptions): Reply {
  const { request, response, callId } = options
  // RFC 9110 §10.1.1: from HTTP/1.0 the expectation is ignored.
  let awaitsContinue = request.headers.expect !== undefined && request.httpVersion === '1.1'

  const refuse = (refusal: Refusal, call: Progress): Outcome => {
    try {
      // The response of a pipelined request has no socket yet, its request always has.
      if (response.destroyed || request.socket.destroyed) return outcomeOf(refusal, 'client.gone', 0, 0)
      if (response.headersSent) {
        if (!response.writableEnded) response.destroy()
        return outcomeOf(refusal, refusal.code, response.statusCode, 0)
      }
      const context = { refusal, callId, limits: call.limits ?? [], nowMs: options.nowMs() }
      const { status, headers, body } = renderRefusal(options.dialect, context)
      const closes = awaitsContinue || options.closing() || FRAMING_IN_DOUBT.has(refusal.code)
      const unread = hasUnreadBody(request)
      const list = refusalHeaders(refusal, headers, callId, body.length)
      appendCallHeaders(list, call, options.rateLimitHeaders)
      if (closes || unread) list.push('Connection', 'close')
      response.writeHead(status, list)
      if (unread && !awaitsContinue) endAfterBody(request, response, body)
      else response.end(body)
      return outcomeOf(refusal, refusal.code, status, body.length)
    } catch (cause) {
      response.destroy()
      return outcomeOf({ ...refusal, cause: refusal.cause ?? cause }, refusal.code, 0, 0)
    }
  }

  const begin = (status: number, headers: readonly string[], call: Progress): ServerResponse => {
    const list = headers.slice()
    list.push('Toolgate-Call-Id', callId, 'Toolgate-Decision', 'allow')
    appendCallHeaders(list, call, options.rateLimitHeaders)
    if (options.closing() || isBodyComing(request)) list.push('Connection', 'close')
    return response.writeHead(status, list)
  }

  const sendContinue = (): void => {
    if (!awaitsContinue || response.headersSent || response.destroyed) return
    awaitsContinue = false
    response.writeContinue()
  }

  return { refuse, begin, continue: sendContinue }
}

/** Headers tied to the refusal come first and win over the gateway's own of the same name. */
function refusalHeaders(
  refusal: Refusal,
  rendered: readonly string[],
  callId: CallId,
  bodyBytes: number,
): string[] {
  const list = [...rendered, 'Content-Length', String(bodyBytes), ...(refusal.headers ?? [])]
  list.push('Toolgate-Call-Id', callId)
  list.push('Toolgate-Decision', isHold(refusal.code) ? 'hold' : 'deny')
  putIfAbsent(list, 'Cache-Control', 'no-store')
  const retryAfter = retryAfterSeconds(refusal)
  if (retryAfter !== undefined) putIfAbsent(list, 'Retry-After', String(retryAfter))
  return list
}

/** What the caller is told of its limits and its next nonce, whatever the answer (RFC 9449 §8.2: one nonce at most). */
function appendCallHeaders(
  list: string[],
  { limits, caller }: Progress,
  rateLimitHeaders: ReplyOptions['rateLimitHeaders'],
): void {
  if (limits !== undefined && limits.length > 0) {
    const rows = rateLimitHeaders(limits)
    for (let index = 0; index + 1 < rows.length; index += 2) {
      putIfAbsent(list, rows[index] as string, rows[index + 1] as string)
    }
  }
  if (caller?.nextNonce !== undefined) putIfAbsent(list, 'DPoP-Nonce', caller.nextNonce)
}

function putIfAbsent(list: string[], name: string, value: string): void {
  const wanted = name.toLowerCase()
  for (let index = 0; index < list.length; index += 2) {
    const held = list[index] as string
    if (held.length === wanted.length && held.toLowerCase() === wanted) return
  }
  list.push(name, value)
}

function outcomeOf(refusal: Refusal, code: Outcome['code'], status: number, replyBytes: number): Outcome {
  return {
    code,
    status,
    upstreamStatus: 0,
    upstreamMs: 0,
    replyBytes,
    replyDigest: '',
    reasons: refusal.reasons ?? [],
    detail: refusal.detail ?? '',
    cause: refusal.cause,
    decidedBy: refusal.decidedBy,
  }
}
