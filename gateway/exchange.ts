import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import type { Phase } from './catalog/phase.ts'
import type { Addressed, Connector, DataClass, Environment, Operation } from './catalog/connector.ts'
import type { Caller, Peer } from './caller.ts'
import type { UpstreamReply, UpstreamRequest } from './egress/upstream.ts'
import type { Findings } from './detectors/findings.ts'
import type { GatewayFault } from './fault.ts'
import type { HeaderList } from './lib/header-list.ts'
import type { TraceContext } from './lib/traceparent.ts'
import type { Branded } from './lib/branded.ts'
import type { Decision } from './policy/decision.ts'
import type { PolicyInput } from './policy/input.ts'
import type { Refusal } from './refusal.ts'
import type { Claim, Lease, Reservation } from './settlement.ts'
import type { Approval, ApprovalId } from './approvals/approval.ts'
import type { Wishes } from './listen/rules/wishes.ts'
import type { Permit } from './stages/approve.ts'
import type { Intended } from './stages/intend.ts'

/** UUIDv7; also the decision id, and on every reply as `Toolgate-Call-Id`. */
export type CallId = Branded<string, 'CallId'>

/** One request as the listener hands it over: nothing checked, but named, timed and addressed. */
export interface Arrival {
  readonly callId: CallId
  /** Wall clock, milliseconds since the epoch. */
  readonly receivedAtMs: number
  /** Monotonic clock, milliseconds. */
  readonly startedMs: number
  readonly request: IncomingMessage
  /** `undefined` when no connector is addressed. The reply already speaks this connector's dialect. */
  readonly addressed: Addressed | undefined
  /** Aborted when the client goes away, or by `abort`. */
  readonly signal: AbortSignal
  /** Ends the call from within: it is refused for that reason, or its stream is broken off. */
  readonly abort: (reason: GatewayFault) => void
}

/** What the agent says of its own call: logged and shown, never trusted as proof. Bounded by receive. */
export interface Declared {
  /** `Toolgate-Task` */
  readonly task: string
  /** `Toolgate-Rationale` */
  readonly rationale: string
  /** `Toolgate-Ticket` */
  readonly ticket: string
  /** `Toolgate-Rollback-Plan` */
  readonly rollbackPlan: string
}

export interface InboundBody {
  /** From `Content-Length`; `undefined` when chunked. 0 when there is no body. */
  readonly declaredBytes: number | undefined
  readonly stream: Readable
  /** Media type without parameters, in lower case; empty when none was sent. */
  readonly mediaType: string
}

/** After receive: one reading of the request, and only one. */
export interface Received {
  readonly arrival: Arrival
  readonly method: string
  /** Origin-form target exactly as received. */
  readonly target: string
  /** Raw path of the target, before `?`. This very string is what `htu`, routing and policy see. */
  readonly path: string
  /** Raw query without `?`; empty when none. */
  readonly query: string
  readonly headers: HeaderList
  readonly peer: Peer
  readonly body: InboundBody
  readonly declared: Declared
  readonly wishes: Wishes
  readonly trace: TraceContext
}

export interface Identified extends Received {
  readonly caller: Caller
}

export interface Routed extends Identified {
  readonly connector: Connector
  readonly operation: Operation
  /** Decoded once. */
  readonly pathParams: Readonly<Record<string, string>>
  /** Raw path as the upstream will see it, base path included. */
  readonly upstreamPath: string
}

/** Counters that policy may read; all are of the proven agent, never of a name the client chose. */
export interface History {
  readonly calls1m: number
  readonly denials10m: number
  readonly errors1h: number
  readonly writesTask: number
  readonly firstUse: boolean
  /** Of the declared task: in flight, or succeeded. In no order. */
  readonly operationsTask: readonly string[]
  /**
   * Of the last hour, whatever task was declared: in flight, or sent and then ended however it did. In no
   * order; `*` stands for those that were too many to be remembered.
   */
  readonly operations1h: readonly string[]
}

/** State of one rate limit or quota after this call, for the `RateLimit` headers. */
export interface LimitState {
  readonly name: string
  readonly quota: number
  readonly windowMs: number
  readonly remaining: number
  readonly resetMs: number
}

export interface Admitted extends Routed {
  readonly history: History
  /** Of the operations of the task; sorted. */
  readonly dataClassesTask: readonly DataClass[]
  /** Of the operations of the last hour; sorted. */
  readonly dataClasses1h: readonly DataClass[]
  /** `operations1h` of the history as it is by now; rejects when the store does not answer. */
  readonly recall: () => readonly string[] | Promise<readonly string[]>
  readonly limits: readonly LimitState[]
  readonly lease: Lease
}

/** What rules may read of the request, projected by the connector. */
export interface Params {
  readonly path: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
  readonly body: Readonly<Record<string, unknown>>
  readonly truncated: boolean
  /** Hex SHA-256 of the exact body bytes; of nothing when there is no body. */
  readonly digest: string
}

/** Vendor-neutral view of what is acted upon; empty strings where the operation has no such thing. */
export interface Resource {
  readonly project: string
  readonly repository: string
  readonly channel: string
  readonly account: string
  readonly amount: { readonly value: number; readonly currency: string }
}

/** Money, exact. */
export interface Amount {
  /** Whole units of the smallest kind that the currency has: cents for EUR, yen for JPY. */
  readonly minor: number
  /** ISO 4217 code, in capitals. */
  readonly currency: string
  /** How many digits of the sum are behind the point. */
  readonly minorDigits: number
}

/**
 * The body after read: the very bytes that will be forwarded. JSON and forms are always held whole, because
 * policy reads them; multipart and opaque bodies above the inspection cap stay a stream that policy cannot see.
 */
export interface ReadBody {
  readonly kind: 'none' | 'json' | 'form' | 'multipart' | 'opaque'
  /** Empty when `stream` is set. */
  readonly bytes: Buffer
  readonly stream: Readable | undefined
  /** Hex SHA-256 of `bytes`; empty when streamed (the outcome then carries the digest). */
  readonly digest: string
}

export interface ReadCall extends Admitted {
  /** The body was not there yet when the call was admitted. */
  readonly late: boolean
  readonly content: ReadBody
  readonly params: Params
  readonly resource: Resource
  readonly environment: Environment
  readonly phase: Phase
  /** What the call moves; only where the operation carries an amount. */
  readonly amount: Amount | undefined
  /** Names of what the detectors found in the request. */
  readonly findings: Findings
}

/** What the agent spent before this call, calls in flight included, in units of the currency of this call's amount. */
export interface Spend {
  /** Since the day began in the time zone of policy. */
  readonly day: number
  /** In the declared task. */
  readonly task: number
}

export interface Reserved extends ReadCall {
  /** Nothing where the call carries no amount. */
  readonly spend: Spend
  readonly reservation: Reservation | undefined
}

export interface Claimed extends Reserved {
  /** Nothing where the call has no key, or changes nothing. */
  readonly claim?: Claim
}

export interface Presented extends Claimed {
  /** What people answered to this very call, as far as is known; `pending` where they have not yet. */
  readonly approval: Approval | undefined
  /** What policy is told of the time: that of arrival, or of the answer that the call has waited for. */
  readonly askedAtMs: number
}

export interface Decided extends Presented {
  /** What policy was given, for the record: with it the decision can be made again. */
  readonly input: PolicyInput
  readonly decision: Decision
  readonly policy: { readonly digest: string; readonly revision: string }
  /** What people are asked about it afterwards; set by approve. */
  readonly review?: ApprovalId
}

export interface Sealed {
  readonly permit: Permit
  readonly request: UpstreamRequest
  /** Version of the credential used, never the credential. */
  readonly credentialVersion: string
  /** The newest change of the locks that it was checked against. */
  readonly lockEpoch: number
}

export interface Answered {
  readonly intended: Intended
  readonly upstream: UpstreamReply
}

/** Bytes that never became a call, because the listener could not make a request of them. */
export interface Unparsed {
  readonly callId: CallId
  readonly receivedAtMs: number
  readonly peerAddress: string
  readonly refusal: Refusal
  /** Status sent to the client; 0 when an earlier reply was still under way, so that none could be. */
  readonly status: number
}

/** As far as a call got; what record, log and metrics are written from. */
export type Progress = { readonly arrival: Arrival } & Partial<Decided>
