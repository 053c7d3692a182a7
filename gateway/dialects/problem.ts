import type { CallId, LimitState } from '../exchange.ts'
import { REASONS } from '../policy/reasons.ts'
import { REFUSALS } from '../refusal.ts'
import type { ApprovalNotice, Reason, Refusal, RefusalCode } from '../refusal.ts'

/** More reasons than this tell a caller nothing new; the record keeps all of them. */
const REASONS_SHOWN = 16

/** Asked for where waiting helps and nobody can tell how long: a person's approval, a secret that is missing. */
const UNKNOWN_WAIT_MS = 5_000

/** What a dialect may say of one refusal. */
export interface RefusalContext {
  readonly refusal: Refusal
  readonly callId: CallId
  /** Limits after this call, where admission got that far. */
  readonly limits: readonly LimitState[]
  /** Wall clock, milliseconds since the epoch. */
  readonly nowMs: number
}

/** A refusal as one vendor would say it; headers are a flat name, value list without the gateway's own. */
export interface RenderedRefusal {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: Buffer
}

/** The RFC 9457 members that every dialect carries inside the vendor's body. */
export interface ProblemMembers {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: RefusalCode
  readonly call_id: string
  readonly reasons: readonly Reason[]
  /** Integer seconds; absent where sending the call again later would not help. */
  readonly retry_after?: number
  /** The approval that the call needs, or came with. */
  readonly approval?: ApprovalMembers
}

export interface ApprovalMembers {
  /** For `Toolgate-Approval`. */
  readonly id: string
  readonly state: ApprovalNotice['state']
  readonly url: string
  /** RFC 3339; absent where it is over. */
  readonly expires_at?: string
}

/**
 * The members for one refusal. `status` is the row's own, also where a dialect answers with another one
 * (RFC 9457 §3.1.2 allows the two to differ). The refusal's internal `detail` never gets here.
 */
export function problemMembers({ refusal, callId }: RefusalContext): ProblemMembers {
  const { code } = refusal
  const { status, title } = REFUSALS[code]
  const reasons = (refusal.reasons ?? []).slice(0, REASONS_SHOWN)
  const retryAfter = retryAfterSeconds(refusal)
  return {
    type: `urn:toolgate:refusal:${code}`,
    title,
    status,
    detail: detailOf(refusal, reasons, retryAfter),
    code,
    call_id: callId,
    reasons,
    ...(retryAfter === undefined ? {} : { retry_after: retryAfter }),
    ...(refusal.approval && { approval: approvalMembers(refusal.approval) }),
  }
}

export function approvalMembers({ id, state, url, endsAtMs }: ApprovalNotice): ApprovalMembers {
  const ends = Number.isFinite(endsAtMs) ? { expires_at: new Date(endsAtMs).toISOString() } : {}
  return { id, state, url, ...ends }
}

/** What `Prefer: respond-async` is answered with: the same members, of something that is under way. */
export function renderTask(context: RefusalContext): RenderedRefusal {
  const members = problemMembers(context)
  return {
    status: members.status,
    headers: ['Content-Type', 'application/json'],
    body: Buffer.from(JSON.stringify(members)),
  }
}

/**
 * Seconds for `Retry-After`: whole and at least 1, because several SDKs parse nothing else and read 0 as "now"
 * (RFC 9110 §10.2.3). `undefined` where the table says that waiting does not help.
 */
export function retryAfterSeconds(refusal: Refusal): number | undefined {
  if (REFUSALS[refusal.code].retry !== 'after') return undefined
  return Math.max(1, Math.ceil((refusal.retryAfterMs ?? UNKNOWN_WAIT_MS) / 1000))
}

/** RFC 9457 as it is, for callers that address no connector. */
export function renderProblem(context: RefusalContext): RenderedRefusal {
  const members = problemMembers(context)
  return {
    status: members.status,
    headers: ['Content-Type', 'application/problem+json'],
    body: Buffer.from(JSON.stringify(members)),
  }
}

function detailOf(refusal: Refusal, reasons: readonly Reason[], retryAfter: number | undefined): string {
  const sentences = [...new Set(reasons.map(({ code }) => `${REASONS[code]}.`))]
  return [...sentences, adviceOf(refusal, retryAfter)].join(' ')
}

function adviceOf({ code, approval }: Refusal, retryAfter: number | undefined): string {
  if (code === 'approval.required' || code === 'approval.pending') return approvalAdvice(approval)
  if (code === 'policy.answer_withheld') return 'What it asked for may have been done: do not send it again.'
  const { retry } = REFUSALS[code]
  if (retry === 'never') return 'The same call will be refused again.'
  if (retry === 'same' || retryAfter === undefined) return 'The same call may be sent again.'
  return `The same call may be sent again in ${retryAfter} s.`
}

function approvalAdvice(approval: ApprovalNotice | undefined): string {
  if (approval === undefined) return 'Send the same call again once it is approved.'
  const repeat = `Send the same call again with Toolgate-Approval: ${approval.id}`
  if (approval.state === 'approved') return `It is approved. ${repeat}.`
  const more = approval.isOutgrown === true ? 'Policy asks for more than was approved. ' : ''
  return `${more}${repeat} once it is approved.`
}
