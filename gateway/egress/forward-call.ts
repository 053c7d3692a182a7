import { Pool } from 'undici'
import type { Agent } from 'undici'
import type { UpstreamReply, UpstreamRequest } from './upstream.ts'
import { refusalOfAbort } from '../fault.ts'
import type { Clock } from '../lib/clock.ts'
import { HeaderList } from '../lib/header-list.ts'
import { pass, refuse } from '../refusal.ts'
import type { Verdict } from '../refusal.ts'
import { capped, discard } from './body.ts'
import { detached } from './detached-body.ts'
import type { EgressCall, EgressEvents, Upstream } from './egress.ts'
import type { UpstreamLimits } from './pools.ts'
import { redirectionOf } from './redirect.ts'
import { ALL_IN_USE, refusalCodeOfUpstream, STILL_CONNECTING, stripped } from './upstream-error.ts'
import { UpstreamExchange } from './upstream-exchange.ts'
import type { ExchangeResult } from './upstream-exchange.ts'

const REDIRECT_HOPS = 3
const DISCARD_LIMIT_BYTES = 64 * 1024
const OVERLOADED_RETRY_MS = 1_000

export interface ForwardRules {
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly events: EgressEvents
  readonly redirectLimitBytes: number
  readonly redirectPorts: ReadonlySet<string>
}

type Answer = Extract<ExchangeResult, { kind: 'answered' }>

/** Sends one call to its upstream and, where the connector allows it, on to where the upstream points. */
export async function forwardCall(
  upstream: Upstream,
  call: EgressCall,
  rules: ForwardRules,
): Promise<Verdict<UpstreamReply>> {
  const { connector, request, signal } = call
  const startedMs = rules.clock.monotonicMs()
  if (signal.aborted) return abandoned(signal)
  const pool = upstream.poolOf(request.origin)
  const { limits } = upstream
  let result = await send(pool, request, signal, limits)
  if (mayRepeat(result, call)) {
    rules.events.repeated(connector.name)
    result = await send(pool, request, signal, limits)
  }
  if (result.kind === 'failed') return await failed(result, signal)
  if (result.kind === 'abandoned') return abandoned(signal)
  if (result.status < 300 || result.status > 399) return pass(replyOf(result, rules, startedMs))
  return await settleRedirects(upstream, call, rules, result, startedMs)
}

async function settleRedirects(
  upstream: Upstream,
  { connector, request, signal }: EgressCall,
  rules: ForwardRules,
  first: Answer,
  startedMs: number,
): Promise<Verdict<UpstreamReply>> {
  let answer = first
  let asked = request
  for (let hops = 0; ; hops += 1) {
    const redirectRules = { connector, ports: rules.redirectPorts }
    const redirection = redirectionOf(redirectRules, asked, answer.status, answer.headers, hops > 0)
    if (redirection.kind === 'none' || redirection.kind === 'relay') {
      if (hops === 0) return pass(replyOf(answer, rules, startedMs))
      return cappedReply(replyOf(answer, rules, startedMs), rules.redirectLimitBytes)
    }
    discard(answer.body, DISCARD_LIMIT_BYTES)
    if (redirection.kind === 'deny') return refuse('upstream.redirect_denied', { detail: redirection.detail })
    if (hops === REDIRECT_HOPS) return refuse('upstream.redirect_denied', { detail: 'redirected too often' })
    asked = redirection.request
    rules.events.redirectFollowed(connector.name, new URL(asked.origin).hostname)
    const result = await send(upstream.follower(), asked, signal, upstream.limits)
    if (result.kind === 'failed') return await failed(result, signal)
    if (result.kind === 'abandoned') return abandoned(signal)
    answer = result
  }
}

/** What came from a host followed to: refused where it announces more than the limit, broken off where it does not. */
function cappedReply(reply: UpstreamReply, limitBytes: number): Verdict<UpstreamReply> {
  const announcedBytes = Number(new HeaderList(reply.headers).get('content-length') ?? 0)
  if (announcedBytes <= limitBytes) return pass({ ...reply, body: capped(reply.body, limitBytes) })
  reply.body.abort()
  return refuse('upstream.redirect_denied', { detail: `redirected to ${announcedBytes} bytes` })
}

function send(
  dispatcher: Pool | Agent,
  { origin, method, target, headers, body }: UpstreamRequest,
  signal: AbortSignal,
  { connections, connectTimeoutMs }: UpstreamLimits,
): Promise<ExchangeResult> {
  return new Promise((resolve) => {
    const exchange = new UpstreamExchange(signal, resolve)
    dispatcher.dispatch(
      {
        origin,
        path: target,
        method,
        headers: headers as string[],
        body: body === undefined ? null : Buffer.isBuffer(body) ? body : detached(body),
      },
      exchange,
    )
    exchange.limitWait(connectTimeoutMs, () => {
      const full = dispatcher instanceof Pool && dispatcher.stats.running >= connections
      return full ? ALL_IN_USE : STILL_CONNECTING
    })
  })
}

/**
 * An upstream may close an idle connection in the moment it is used again. RFC 9110 §9.2.2 lets a safe request be
 * sent once more then; anything that could have acted is never repeated.
 */
function mayRepeat(result: ExchangeResult, { request, repeatable, signal }: EgressCall): boolean {
  return (
    result.kind === 'failed' &&
    result.phase === 'sent' &&
    refusalCodeOfUpstream(result.error, result.phase) === 'upstream.protocol' &&
    repeatable &&
    (request.method === 'GET' || request.method === 'HEAD') &&
    request.body === undefined &&
    !signal.aborted
  )
}

async function failed(
  { error, phase }: Extract<ExchangeResult, { kind: 'failed' }>,
  signal: AbortSignal,
): Promise<Verdict<UpstreamReply>> {
  const code = refusalCodeOfUpstream(error, phase)
  // A caller that leaves breaks its body off first; a turn later it is known to be gone.
  if (code === 'request.malformed') await new Promise(setImmediate)
  const cause = stripped(error)
  const retry = code === 'gateway.overloaded' ? { retryAfterMs: OVERLOADED_RETRY_MS } : {}
  return signal.aborted
    ? abandoned(signal)
    : refuse(code, { detail: `${phase}: ${cause.code}`, cause, ...retry })
}

function replyOf(
  { status, headers, body }: Answer,
  { clock }: ForwardRules,
  startedMs: number,
): UpstreamReply {
  return { status, headers, body, latencyMs: clock.monotonicMs() - startedMs }
}

/** Heard only by a caller whose call the gateway cut short; a reply to one that left records `client.gone`. */
function abandoned(signal: AbortSignal): Verdict<UpstreamReply> {
  const gone = { code: 'upstream.timeout', detail: 'given up before an answer came' } as const
  return { ok: false, refusal: refusalOfAbort(signal, gone) }
}
