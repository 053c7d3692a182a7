import { isNothing, type Findings } from '../detectors/findings.ts'
import type { Progress } from '../exchange.ts'
import { lastDecision, type Outcome, type OutcomeCode } from '../outcome.ts'
import { printable, scrub } from '../lib/scrub.ts'
import { REFUSALS, type Blame, type Reason } from '../refusal.ts'
import { decisionOf } from './labels.ts'
import type { LogFields, LogLevel } from './log.ts'

const ID_LIMIT = 256
const DETAIL_LIMIT = 512
const STACK_LIMIT = 4_096

const LEVELS = {
  client: 'info',
  upstream: 'warn',
  dependency: 'warn',
  gateway: 'error',
} as const satisfies Record<Blame, LogLevel>

/** The one line of a call. Path, query, headers, bodies and declared texts are not in it. */
export function callLine(call: Progress, outcome: Outcome, durationMs: number): LogFields {
  const { caller, operation, connector } = call
  const policy = lastDecision(call, outcome)
  return {
    call_id: call.arrival.callId,
    trace_id: call.trace?.traceId,
    peer: call.peer && printable(call.peer.address, 64),
    agent: caller && printable(caller.agent.id, ID_LIMIT),
    principal: caller && printable(caller.principal.id, ID_LIMIT),
    tenant: caller && printable(caller.tenant, ID_LIMIT),
    binding: caller?.agent.binding,
    connector: connector?.name ?? call.arrival.addressed?.connector.name,
    operation: operation?.id,
    access: operation?.access,
    method: call.method,
    decision: decisionOf(outcome.code),
    reason: outcome.code,
    policy_reasons: codesOf(outcome.reasons),
    policy_reported: codesOf(reportedIn(call, outcome)),
    found_in_request: namesOf(call.findings),
    found_in_answer: namesOf(outcome.findings),
    risk: policy?.risk,
    policy_revision: policy && printable(policy.revision, 128),
    status: outcome.status,
    upstream_status: outcome.upstreamStatus === 0 ? undefined : outcome.upstreamStatus,
    duration_ms: tenths(durationMs),
    upstream_ms: outcome.upstreamStatus === 0 ? undefined : tenths(outcome.upstreamMs),
    reply_bytes: outcome.replyBytes,
    detail: outcome.detail === '' ? undefined : scrub(outcome.detail, DETAIL_LIMIT),
    ...(outcome.cause !== undefined && causeFields(outcome.cause, outcome.code === 'gateway.fault')),
  }
}

/** What is the caller's doing is information; what an operator should look at is louder. */
export function levelOf(code: OutcomeCode): LogLevel {
  if (code === 'allowed' || code === 'answered' || code === 'client.gone') return 'info'
  if (code === 'upstream.truncated') return 'warn'
  if (code === 'gateway.draining') return 'info'
  return LEVELS[REFUSALS[code].blame]
}

/**
 * Name, code and message of an error and of what caused it; never its other members, which in client libraries hold
 * the request with its headers.
 */
export function causeFields(cause: unknown, withStack = false): LogFields {
  if (cause === undefined) return {}
  return {
    cause: scrub(describe(cause, 3), DETAIL_LIMIT),
    stack: withStack && cause instanceof Error ? scrub(stackOf(cause), STACK_LIMIT) : undefined,
  }
}

function describe(cause: unknown, depth: number): string {
  if (!(cause instanceof Error)) return typeof cause
  const code = 'code' in cause && typeof cause.code === 'string' ? ` ${cause.code}` : ''
  const own = `${cause.name}${code}: ${cause.message}`
  return cause.cause === undefined || depth === 1 ? own : `${own} ← ${describe(cause.cause, depth - 1)}`
}

/** The frames alone, on one line: the message is in `cause`. */
function stackOf(error: Error): string {
  const frames = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '))
  return frames.map((line) => line.trim()).join(' | ')
}

/** What rules in report mode gave, whichever way the call went. */
export function reportedIn(call: Progress, outcome: Outcome): readonly Reason[] {
  return lastDecision(call, outcome)?.reported ?? []
}

function namesOf(findings: Findings | undefined): string | undefined {
  if (findings === undefined || isNothing(findings)) return undefined
  return [...findings.secrets, ...findings.pii, ...findings.injection].join(' ')
}

function codesOf(reasons: readonly Reason[]): string | undefined {
  return reasons.length === 0 ? undefined : reasons.map(({ code }) => code).join(' ')
}

function tenths(durationMs: number): number {
  return Math.round(durationMs * 10) / 10
}
