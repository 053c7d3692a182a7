import type { Dispatcher } from 'undici'
import type { UpstreamReply, UpstreamRequest } from '../exchange.ts'
import type { Clock } from '../lib/clock.ts'
import { pass, refuse } from '../refusal.ts'
import type { Verdict } from '../refusal.ts'
import { capped, discard } from './body.ts'
import { detached } from './detached-body.ts'
import type { EgressCall, EgressEvents, Upstream } from './egress.ts'
import { redirectionOf } from './redirect.ts'
import { refusalCodeOfUpstream, REQUEST_BODY_BROKEN, stripped } from './upstream-error.ts'
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
  if (signal.aborted) return abandoned()
  const pool = upstream.poolOf(request.origin)
  const waitMs = upstream.limits.connectTimeoutMs
  let result = await send(pool, request, signal, waitMs)
  if (mayRepeat(result, call)) {
    rules.events.repeated(connector.name)
    result = await send(pool, request, signal, waitMs)
  }
  if (result.kind === 'failed') return await failed(result, signal)
  if (result.kind === 'abandoned') return abandoned()
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
      const body = hops === 0 ? answer.body : capped(answer.body, rules.redirectLimitBytes)
      return pass(replyOf({ ...answer, body }, rules, startedMs))
    }
    discard(answer.body, DISCARD_LIMIT_BYTES)
    if (redirection.kind === 'deny') return refuse('upstream.redirect_denied', { detail: redirection.detail })
    if (hops === REDIRECT_HOPS) return refuse('upstream.redirect_denied', { detail: 'redirected too often' })
    asked = redirection.request
    rules.events.redirectFollowed(connector.name, new URL(asked.origin).hostname)
    const result = await send(upstream.follower(), asked, signal, upstream.limits.connectTimeoutMs)
    if (result.kind === 'failed') return await failed(result, signal)
    if (result.kind === 'abandoned') return abandoned()
    answer = result
  }
}

function send(
  dispatcher: Dispatcher,
  { origin, method, target, headers, body }: UpstreamRequest,
  signal: AbortSignal,
  waitMs: number,
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
    exchange.limitWait(waitMs)
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
  const cause = stripped(error)
  if (cause.code === REQUEST_BODY_BROKEN) {
    // A caller that leaves breaks its body off first; a turn later it is known to be gone.
    await new Promise(setImmediate)
    if (signal.aborted) return abandoned()
  }
  const code = refusalCodeOfUpstream(error, phase)
  const retry = code === 'gateway.overloaded' ? { retryAfterMs: OVERLOADED_RETRY_MS } : {}
  return refuse(code, { detail: `${phase}: ${cause.code}`, cause, ...retry })
}

function replyOf(
  { status, headers, body }: Answer,
  { clock }: ForwardRules,
  startedMs: number,
): UpstreamReply {
  return { status, headers, body, latencyMs: clock.monotonicMs() - startedMs }
}

/** Seldom heard: a reply to a caller that left records `client.gone`; a call cut short by the gateway hears this. */
function abandoned(): Verdict<UpstreamReply> {
  return refuse('upstream.timeout', { detail: 'given up before an answer came' })
}
