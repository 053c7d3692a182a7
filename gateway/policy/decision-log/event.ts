import type { CallId, ReadCall } from '../../exchange.ts'
import type { HeaderList } from '../../lib/header-list.ts'
import { scrub } from '../../lib/scrub.ts'
import { REFUSALS, type Reason, type Refusal, type Verdict } from '../../refusal.ts'
import { ENTRYPOINT } from '../bundles/bundle.ts'
import type { Decision } from '../decision.ts'
import type { PolicyInput } from '../input.ts'
import { decisionDocument } from './decision-document.ts'

/**
 * One decision in version 1 of OPA's decision log, by OPA's names.
 *
 * @see https://www.openpolicyagent.org/docs/management-decision-logs#decision-log-service-api
 */
export interface DecisionEvent {
  /** What tells this process apart from every other one. */
  readonly labels: Readonly<Record<string, string>>
  readonly decision_id: string
  /** W3C, hexadecimal. */
  readonly trace_id?: string
  readonly span_id?: string
  readonly bundles: Readonly<Record<string, { readonly revision: string }>>
  readonly path: string
  readonly input?: unknown
  readonly result?: unknown
  /** Not filled by us: no rule may call what is not determined by its input. */
  readonly nd_builtin_cache?: unknown
  /** JSON Pointers to what was taken out, and to what was put in its place. */
  readonly erased?: readonly string[]
  readonly masked?: readonly string[]
  /** Why there is no result. */
  readonly error?: { readonly code: string; readonly message: string }
  readonly requested_by: string
  /** RFC 3339, nanoseconds. */
  readonly timestamp: string
  readonly metrics: Readonly<Record<string, number>>
  /** Counts the decisions of this process from 1. */
  readonly req_id: number
  /** The rules that denied. */
  readonly rule_labels?: readonly RuleLabel[]
  readonly request_context?: {
    readonly http: { readonly headers: Readonly<Record<string, readonly string[]>> }
  }
  readonly custom: { readonly toolgate: ToolgateFacts }
}

interface RuleLabel {
  readonly id: string
  readonly code: string
}

/** What OPA has no name for. */
interface ToolgateFacts {
  readonly effect: 'allow' | 'deny' | 'hold'
  /** Refusal that the caller got, unless the decision alone says it. */
  readonly code?: string
  /** Of the bundle file that decided. */
  readonly policy_digest: string
  /** The rules on the log could not be asked, so more was taken out than they would have. */
  readonly mask_failed?: true
}

/** A decision as the stage that makes it knows it. Held by reference: nothing of it may be changed. */
export interface Made {
  /** Of everything in force. */
  readonly digest: string
  readonly bundles: readonly { readonly name: string; readonly revision: string }[]
  readonly input: PolicyInput
  readonly verdict: Verdict<Decision>
  /** When the input was begun, when it was built, and when there was a decision; monotonic. */
  readonly begunMs: number
  readonly builtMs: number
  readonly decidedMs: number
}

/** What is logged of the call beside the input; the call itself holds its body, and may end before it is logged. */
export interface MadeDecision extends Made {
  readonly callId: CallId
  readonly traceId: string
  readonly spanId: string
  /** Address of the client. */
  readonly requestedBy: string
  /** Header values by their configured names. */
  readonly headers: Readonly<Record<string, readonly string[]>> | undefined
  /** When the call arrived: milliseconds since the epoch, and monotonic. */
  readonly receivedAtMs: number
  readonly arrivedMs: number
}

/** @param headerNames headers to log, as the configuration writes them */
export function madeDecision(call: ReadCall, made: Made, headerNames: readonly string[]): MadeDecision {
  return {
    ...made,
    callId: call.arrival.callId,
    traceId: call.trace.traceId,
    spanId: call.trace.spanId,
    requestedBy: call.peer.address,
    headers: loggedHeaders(call.headers, headerNames),
    receivedAtMs: call.arrival.receivedAtMs,
    arrivedMs: call.arrival.startedMs,
  }
}

function loggedHeaders(headers: HeaderList, names: readonly string[]): MadeDecision['headers'] {
  const present = names.filter((name) => headers.has(name.toLowerCase()))
  if (present.length === 0) return undefined
  return Object.fromEntries(
    present.map((name) => [name, headers.all(name.toLowerCase()).map((value) => scrub(value, HEADER_LIMIT))]),
  )
}

const HEADER_LIMIT = 1_024
const MESSAGE_LIMIT = 512
const NANOSECONDS_PER_MS = 1e6

/** The event as it is before anything is masked. */
export function decisionEvent(
  made: MadeDecision,
  labels: Readonly<Record<string, string>>,
  requestNumber: number,
): DecisionEvent {
  const { verdict, headers } = made
  return {
    labels,
    decision_id: made.callId,
    ...(made.traceId !== '' && { trace_id: made.traceId }),
    ...(made.spanId !== '' && { span_id: made.spanId }),
    bundles: Object.fromEntries(made.bundles.map(({ name, revision }) => [name, { revision }])),
    path: ENTRYPOINT,
    ...inputFields(made),
    ...(verdict.ok
      ? { result: decisionDocument(verdict.value) }
      : { error: { code: verdict.refusal.code, message: messageOf(verdict.refusal) } }),
    requested_by: made.requestedBy,
    timestamp: rfc3339(made.receivedAtMs + made.decidedMs - made.arrivedMs),
    metrics: {
      timer_rego_input_parse_ns: nanoseconds(made.builtMs - made.begunMs),
      timer_rego_query_eval_ns: nanoseconds(made.decidedMs - made.builtMs),
      timer_server_handler_ns: nanoseconds(made.decidedMs - made.arrivedMs),
    },
    req_id: requestNumber,
    ...(verdict.ok && verdict.value.reasons.length > 0 && { rule_labels: ruleLabels(verdict.value.reasons) }),
    ...(headers && { request_context: { http: { headers } } }),
    custom: {
      toolgate: {
        effect: effectOf(verdict),
        ...(!verdict.ok && { code: verdict.refusal.code }),
        policy_digest: made.digest,
      },
    },
  }
}

/** What could not be presented to rules cannot be presented to the rules on the log either, and is not logged raw. */
function inputFields({ verdict, input }: MadeDecision): Pick<DecisionEvent, 'input' | 'erased'> {
  const unfit = !verdict.ok && verdict.refusal.code === 'policy.input_invalid'
  return unfit ? { erased: ['/input'] } : { input }
}

function effectOf(verdict: Verdict<Decision>): ToolgateFacts['effect'] {
  if (!verdict.ok || !verdict.value.allow) return 'deny'
  return verdict.value.obligations.some(({ type }) => type === 'approval') ? 'hold' : 'allow'
}

function ruleLabels(reasons: readonly Reason[]): readonly RuleLabel[] {
  const labels = new Map(reasons.map(({ rule, code }) => [`${rule} ${code}`, { id: rule, code }]))
  return [...labels.values()]
}

function messageOf({ code, detail, cause }: Refusal): string {
  const why = detail ?? (cause instanceof Error ? cause.message : typeof cause === 'string' ? cause : '')
  const { title } = REFUSALS[code]
  return why === '' ? title : `${title}: ${scrub(why, MESSAGE_LIMIT)}`
}

function nanoseconds(durationMs: number): number {
  return Math.max(0, Math.round(durationMs * NANOSECONDS_PER_MS))
}

/** As Go writes a time; `epochMs` may have a fraction. */
function rfc3339(epochMs: number): string {
  const wholeMs = Math.floor(epochMs)
  const nanos = Math.floor((epochMs - wholeMs) * NANOSECONDS_PER_MS)
  return `${new Date(wholeMs).toISOString().slice(0, -1)}${String(nanos).padStart(6, '0')}Z`
}
