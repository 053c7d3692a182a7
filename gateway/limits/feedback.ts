import type { OutcomeCode } from '../outcome.ts'
import { type Blame, REFUSALS, type RefusalCode } from '../refusal.ts'
import type { Settlement } from '../settlement.ts'
import type { BreakerResult } from './breaker.ts'

/** What one ended call teaches the counters of its agent. */
export interface Feedback {
  /** The upstream may have acted on it, so a counted write stays counted. */
  readonly forwarded: boolean
  /** The upstream did it: only this makes an operation one that the agent has used. */
  readonly succeeded: boolean
  /** The gateway said no to what the agent asked. */
  readonly denied: boolean
  /** The upstream said no, broke, or did not answer. */
  readonly errored: boolean
  /** Counts towards stopping the agent. */
  readonly failed: boolean
}

/**
 * Upstream answers that are the agent's own doing: it asks for what is not there, not allowed or not well-formed.
 * 401 is missing on purpose, because the credential is ours; so are 409, 412 and 429, which are ordinary
 * answers to a race or to load.
 */
const FAILED_STATUSES: ReadonlySet<number> = new Set([400, 403, 404, 405, 410, 422])

/** Answers that say "not done". Not 408, 409 and 425, which may come after it was done, on the first of two tries. */
const DECLINED_STATUSES: ReadonlySet<number> = new Set([
  400, 401, 402, 403, 404, 405, 406, 410, 411, 413, 414, 415, 422, 428, 429, 431,
])

/** Refusals given before anything could have reached the upstream. The others may have been sent. */
const MAYBE_FORWARDED: ReadonlySet<string> = new Set([
  'gateway.draining',
  'gateway.fault',
  'lock.engaged',
  'request.timeout',
  'policy.answer_withheld',
])
const NEVER_FORWARDED = codes((code) => !code.startsWith('upstream.') && !MAYBE_FORWARDED.has(code))

/** An approval that is asked for, or has run out while people were busy. */
const WAITING = new Set(['approval.required', 'approval.pending', 'approval.too_many', 'approval.expired'])

/** A call that is repeated for want of an answer. */
const REPEATED = new Set(['idempotency.in_flight', 'idempotency.done'])

/** Refusals that are no sign of an agent run wild: it is asked to wait, or for a person's yes; or people stopped it. */
const NOT_A_DENIAL = codes(
  (code) => /^(limit|breaker|lock)\./.test(code) || WAITING.has(code) || REPEATED.has(code),
)

const UPSTREAM_FAILURES: ReadonlySet<OutcomeCode> = new Set([
  'upstream.unreachable',
  'upstream.protocol',
  'upstream.timeout',
  'upstream.truncated',
])

/**
 * Failed, for the breaker of the agent, means: refused after admission for something the client has to change, or
 * answered by the upstream with 5xx or one of `FAILED_STATUSES`. A refusal by a limit or a breaker never
 * counts, or being stopped would keep an agent stopped; nor does an upstream that gave no answer at all.
 */
export function feedbackOf({ outcome, attempted, upstreamStatus }: Settlement): Feedback {
  const blame: Blame | undefined = isRefusal(outcome) ? REFUSALS[outcome].blame : undefined
  const denied = blame === 'client' && !NOT_A_DENIAL.has(outcome)
  const badStatus = upstreamStatus >= 500 || FAILED_STATUSES.has(upstreamStatus)
  return {
    forwarded: attempted && (upstreamStatus > 0 || !NEVER_FORWARDED.has(outcome)),
    succeeded: outcome === 'allowed' && upstreamStatus > 0 && upstreamStatus < 400,
    denied,
    errored: upstreamStatus >= 400 || blame === 'upstream',
    failed: denied || badStatus,
  }
}

/**
 * What becomes of the sum that the call reserved. It stays spent wherever the upstream may have acted on it: answered with
 * success, with 5xx, or not at all. It is given back where nothing was sent, or the upstream said no.
 */
export function spendEndOf(settlement: Settlement): 'kept' | 'released' {
  return feedbackOf(settlement).forwarded && !DECLINED_STATUSES.has(settlement.upstreamStatus)
    ? 'kept'
    : 'released'
}

/**
 * What the call says of the upstream's health: 5xx, no connection, no answer in time, broken HTTP or a broken
 * stream are failures; any other answer is a success; a call that never got there says nothing.
 */
export function upstreamResultOf({ outcome, upstreamStatus }: Settlement): BreakerResult {
  if (UPSTREAM_FAILURES.has(outcome)) return 'failure'
  if (upstreamStatus === 0) return 'none'
  return upstreamStatus >= 500 ? 'failure' : 'success'
}

function isRefusal(outcome: OutcomeCode): outcome is RefusalCode {
  return Object.hasOwn(REFUSALS, outcome)
}

function codes(matches: (code: string) => boolean): ReadonlySet<string> {
  return new Set(Object.keys(REFUSALS).filter(matches))
}
