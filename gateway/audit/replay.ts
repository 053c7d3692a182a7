import { isDeepStrictEqual } from 'node:util'
import type { Decision } from '../policy/decision.ts'
import type { Verdict } from '../refusal.ts'
import { obligationFields, reasonFields } from './call-fields.ts'
import type { DecisionEntry, OutcomeEntry } from './entry.ts'
import type { ReasonFields } from './entry-fields.ts'

/** What policy made of a call, as far as the record holds it. */
export interface Made {
  readonly effect: 'allow' | 'deny' | 'error'
  /** Code of the refusal, for an error. */
  readonly error?: string
  readonly risk?: number
  /** `code (rule)` of each reason. */
  readonly reasons?: readonly string[]
  readonly reported?: readonly string[]
  /** Ids; on record for an allow that was carried out. */
  readonly obligations?: readonly string[]
}

/** Refusals in place of a decision. `policy.unavailable` is not among them: it tells of the gateway, not of the call. */
const ERRORS: ReadonlySet<string> = new Set(['policy.error', 'policy.invalid', 'policy.input_invalid'])

/** What the record says was decided; `undefined` where policy was not asked, or could not be. */
export function recordedDecision(entry: DecisionEntry | OutcomeEntry): Made | undefined {
  if (entry.policy === undefined) return undefined
  const reported = namesOf(entry.reported ?? [])
  if (entry.type === 'decision') {
    const { risk, reasons, obligations } = entry
    return { effect: 'allow', risk, reasons: namesOf(reasons), reported, obligations }
  }
  const { outcome, risk, reasons = [] } = entry
  if (outcome === 'policy.denied')
    return { effect: 'deny', ...(risk !== undefined && { risk }), reasons: namesOf(reasons), reported }
  if (ERRORS.has(outcome)) return { effect: 'error', error: outcome }
  if (outcome === 'policy.unavailable' || outcome === 'unknown') return undefined
  // What came after policy stopped it: held for people, or no credential to be had.
  return { effect: 'allow', ...(risk !== undefined && { risk }), reported }
}

/** A new decision in the form of the record. */
export function madeAnew(verdict: Verdict<Decision>): Made {
  if (!verdict.ok) return { effect: 'error', error: verdict.refusal.code }
  const { allow, risk, reasons, reported, obligations } = verdict.value
  return {
    effect: allow ? 'allow' : 'deny',
    risk,
    reasons: namesOf(reasonFields(reasons)),
    reported: namesOf(reasonFields(reported)),
    obligations: obligationFields(obligations.map(({ id }) => id)),
  }
}

export type FlipKind = 'error' | 'allow to deny' | 'deny to allow' | 'changed'

/** What is different; `undefined` when nothing is that the record tells. */
export function flipBetween(recorded: Made, anew: Made): FlipKind | undefined {
  if (recorded.effect !== anew.effect) {
    if (recorded.effect === 'error' || anew.effect === 'error') return 'error'
    return anew.effect === 'deny' ? 'allow to deny' : 'deny to allow'
  }
  const members = ['error', 'risk', 'reasons', 'reported', 'obligations'] as const
  const differs = members.some(
    (member) => recorded[member] !== undefined && !isDeepStrictEqual(recorded[member], anew[member]),
  )
  return differs ? 'changed' : undefined
}

function namesOf(reasons: readonly Pick<ReasonFields, 'code' | 'rule'>[]): string[] {
  return reasons.map(({ code, rule }) => `${code} (${rule})`)
}
