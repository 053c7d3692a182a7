import type { ApprovalState } from './approvals/approval.ts'
import type { PolicyInput } from './policy/input.ts'
import type { ReasonCode } from './policy/reasons.ts'

/** Who has to change something before the call can succeed. */
export type Blame = 'client' | 'gateway' | 'upstream' | 'dependency'

/** Whether sending the call again makes sense: not at all, unchanged, or after `retryAfterMs`. */
export type Retry = 'never' | 'same' | 'after'

interface RefusalRow {
  readonly status: number
  readonly blame: Blame
  readonly retry: Retry
  readonly title: string
}

/**
 * The closed table of the gateway's no. One row is the HTTP status, the RFC 9457 `type`, the `reason` label of
 * the metric, the code in the record and the line in the documentation.
 */
export const REFUSALS = {
  'request.malformed': row(400, 'client', 'never', 'The request is not well-formed HTTP'),
  'request.ambiguous': row(400, 'client', 'never', 'The request can be read in more than one way'),
  'request.target_invalid': row(400, 'client', 'never', 'The request target is not canonical'),
  'request.headers_too_large': row(431, 'client', 'never', 'The header section is too large'),
  'request.body_too_large': row(413, 'client', 'never', 'The body is too large for this connector'),
  'request.body_invalid': row(400, 'client', 'never', 'The body is not what its Content-Type says'),
  'request.body_unsupported': row(415, 'client', 'never', 'The body cannot be inspected in this encoding'),
  'request.credential_misplaced': row(400, 'client', 'never', 'A credential was sent outside Authorization'),
  'request.expectation_unsupported': row(417, 'client', 'never', 'Only Expect: 100-continue is supported'),
  'request.timeout': row(408, 'client', 'same', 'The request did not arrive in time'),

  'identity.missing': row(401, 'client', 'never', 'No access token was presented'),
  'identity.ambiguous': row(400, 'client', 'never', 'More than one credential was presented'),
  'identity.token_invalid': row(401, 'client', 'never', 'The access token is not valid'),
  'identity.token_expired': row(401, 'client', 'never', 'The access token has expired'),
  'identity.token_unbound': row(401, 'client', 'never', 'The access token is not bound to a key'),
  'identity.binding_mismatch': row(401, 'client', 'never', 'The access token is bound to another key'),
  'identity.proof_invalid': row(401, 'client', 'never', 'The DPoP proof is not valid'),
  'identity.proof_replayed': row(401, 'client', 'never', 'The DPoP proof was used before'),
  'identity.nonce_required': row(401, 'client', 'same', 'The DPoP proof needs the nonce given here'),
  'identity.forwarded_certificate_untrusted': row(
    400,
    'client',
    'never',
    'A forwarded certificate came from a peer that may not forward one',
  ),
  'identity.scope_insufficient': row(403, 'client', 'never', 'The access token lacks a required scope'),
  'identity.keys_unavailable': row(503, 'dependency', 'after', "The issuer's keys cannot be had"),

  'route.unknown_connector': row(404, 'client', 'never', 'No connector is addressed'),
  'route.unknown_operation': row(404, 'client', 'never', 'The operation is not in the catalogue'),

  'limit.rate': row(429, 'client', 'after', 'A rate limit is exhausted'),
  'limit.quota': row(429, 'client', 'after', 'A quota is used up'),
  'limit.concurrency': row(429, 'client', 'after', 'Too many calls are in flight'),
  'breaker.upstream_open': row(503, 'upstream', 'after', 'The upstream is failing and is being left alone'),
  'breaker.agent_open': row(429, 'client', 'after', 'This agent failed too often and is stopped for a while'),
  'store.unavailable': row(503, 'dependency', 'after', 'The limiter store cannot be reached'),

  'idempotency.in_flight': row(409, 'client', 'after', 'A call with this key is under way'),
  'idempotency.done': row(409, 'client', 'never', 'A call with this key was made'),
  'idempotency.mismatch': row(422, 'client', 'never', 'The key was used for another call'),

  'policy.denied': row(403, 'client', 'never', 'Policy does not allow this call'),
  'policy.error': row(403, 'gateway', 'never', 'Policy could not be evaluated'),
  'policy.invalid': row(403, 'gateway', 'never', 'Policy gave no well-formed decision'),
  'policy.input_invalid': row(403, 'client', 'never', 'The call cannot be presented to policy'),
  'policy.obligation_unsupported': row(403, 'gateway', 'never', 'Policy asks for what the gateway cannot do'),
  'policy.answer_withheld': row(
    403,
    'gateway',
    'never',
    'The call was made, but policy withholds its answer',
  ),
  'policy.unavailable': row(503, 'dependency', 'after', 'No policy is loaded'),

  'lock.engaged': row(403, 'client', 'never', 'A lock stops this call'),
  'lock.unknown': row(503, 'dependency', 'after', 'The locks in force cannot be known'),

  'approval.required': row(403, 'client', 'after', 'A person has to approve this call first'),
  'approval.pending': row(202, 'client', 'after', 'People are asked about this call'),
  'approval.denied': row(403, 'client', 'never', 'A person said no to this call'),
  'approval.expired': row(403, 'client', 'never', 'The time of the approval is over'),
  'approval.revoked': row(403, 'client', 'never', 'The approval was taken back'),
  'approval.used': row(403, 'client', 'never', 'The approval has been used'),
  'approval.mismatch': row(403, 'client', 'never', 'The approval is of another call'),
  'approval.unknown': row(403, 'client', 'never', 'There is no such approval'),
  'approval.unbindable': row(413, 'client', 'never', 'The body is too large to be approved'),
  'approval.too_many': row(429, 'client', 'after', 'Too many calls of this agent wait for people'),
  'approval.unavailable': row(503, 'dependency', 'after', 'The store of approvals cannot be reached'),

  'credential.unavailable': row(503, 'dependency', 'after', 'The upstream credential cannot be had'),
  'audit.unavailable': row(503, 'dependency', 'after', 'The call cannot be put on record'),

  'upstream.address_denied': row(
    502,
    'gateway',
    'never',
    'The upstream resolves to an address that is not allowed',
  ),
  'upstream.unreachable': row(502, 'upstream', 'same', 'The upstream cannot be reached'),
  'upstream.protocol': row(502, 'upstream', 'never', 'The upstream did not answer in well-formed HTTP'),
  'upstream.redirect_denied': row(
    502,
    'upstream',
    'never',
    'The upstream redirected to a place that is not allowed',
  ),
  'upstream.timeout': row(504, 'upstream', 'never', 'The upstream did not answer in time'),

  'gateway.draining': row(503, 'gateway', 'after', 'The gateway is shutting down'),
  'gateway.overloaded': row(503, 'gateway', 'after', 'The gateway has no room for another call'),
  'gateway.fault': row(500, 'gateway', 'never', 'The gateway failed'),
} as const satisfies Record<string, RefusalRow>

export type RefusalCode = keyof typeof REFUSALS

/** People are asked, and the same call may be made once they have answered. */
export function isHold(code: string): boolean {
  return code === 'approval.required' || code === 'approval.pending'
}

/** One reason that policy gave; `code` is from the closed set shared with Rego. */
export interface Reason {
  readonly code: ReasonCode
  /** Rule id, such as `R010`. */
  readonly rule: string
  readonly detail: string
}

/** The bundle that was asked, and how risky it found the call, where it got that far. */
export interface DecidedBy {
  readonly digest: string
  readonly revision: string
  readonly risk?: number
  /** Reasons of rules in report mode, which denied nothing. */
  readonly reported?: readonly Reason[]
  /** What it was given. */
  readonly input?: PolicyInput
}

/** What an agent is told of the approval that its call needs. */
export interface ApprovalNotice {
  readonly id: string
  readonly state: ApprovalState
  /** Where it can ask how the approval stands, and withdraw it. */
  readonly url: string
  /** When time alone ends it; infinite where it is over. */
  readonly endsAtMs: number
  /** There was an approval already, but policy asks for more by now. */
  readonly isOutgrown?: boolean
}

/**
 * The gateway's no to one call. `code`, `reasons` and `retryAfterMs` reach the caller; `detail` is for the log
 * and the record only, because it may say which check failed, and so is `decidedBy`; `cause` is for the log only.
 */
export interface Refusal {
  readonly code: RefusalCode
  readonly detail?: string
  readonly reasons?: readonly Reason[]
  readonly retryAfterMs?: number
  readonly approval?: ApprovalNotice
  /** Headers the specification ties to this refusal, as a flat name, value list (`WWW-Authenticate`, `DPoP-Nonce`). */
  readonly headers?: readonly string[]
  readonly cause?: unknown
  /** Set by decide: by the time the call is on record another policy may be in force. */
  readonly decidedBy?: DecidedBy
}

export type Verdict<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal }

export function pass<T>(value: T): Verdict<T> {
  return { ok: true, value }
}

export function refuse(code: RefusalCode, more: Omit<Refusal, 'code'> = {}): { ok: false; refusal: Refusal } {
  return { ok: false, refusal: { code, ...more } }
}

function row(status: number, blame: Blame, retry: Retry, title: string): RefusalRow {
  return { status, blame, retry, title }
}
