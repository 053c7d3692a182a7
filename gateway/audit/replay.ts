import { isDeepStrictEqual } from 'node:util'
import type { Decision } from '../policy/decision.ts'
import { effectOf } from '../policy/difference.ts'
import { isHold, type Verdict } from '../refusal.ts'
import { obligationFields, reasonFields } from './call-fields.ts'
import type { DecisionEntry, OutcomeEntry } from './entry.ts'
import type { ReasonFields } from './entry-fields.ts'

/**
 * `hold`: policy lets the call pass once people have said yes. `pass`: it let it pass, and whether people had to be asked
 * is not on record, because something else ended the call before it was made.
 */
type Effect = 'allow' | 'hold' | 'pass' | 'deny' | 'error'

/** What policy made of a call, as far as the record holds it. */
export interface Made {
  readonly effect: Effect
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
  return { effect: isHold(outcome) ? 'hold' : 'pass', ...(risk !== undefined && { risk }), reported }
}

/** A new decision in the form of the record. */
export function madeAnew(verdict: Verdict<Decision>): Made {
  if (!verdict.ok) return { effect: 'error', error: verdict.refusal.code }
  const { risk, reasons, reported, obligations } = verdict.value
  return {
    effect: effectOf(verdict.value),
    risk,
    reasons: namesOf(reasonFields(reasons)),
    reported: namesOf(reasonFields(reported)),
    obligations: obligationFields(obligations.map(({ id }) => id)),
  }
}

type Passing = 'allow' | 'hold'
export type FlipKind =
  'error' | 'changed' | `${Passing} to deny` | `deny to ${Passing}` | 'allow to hold' | 'hold to allow'

/** What is different; `undefined` when nothing is that the record tells. */
export function flipBetween(recorded: Made, anew: Made): FlipKind | undefined {
  return flipOfEffects(recorded.effect, anew.effect) ?? (isChanged(recorded, anew) ? 'changed' : undefined)
}

function flipOfEffects(was: Effect, is: Effect): FlipKind | undefined {
  if (was === is) return undefined
  if (was === 'error' || is === 'error') return 'error'
  if (is === 'deny') return `${was === 'hold' ? 'hold' : 'allow'} to deny`
  if (was === 'deny') return `deny to ${is === 'hold' ? 'hold' : 'allow'}`
  if (was === 'pass' || is === 'pass') return undefined
  return is === 'hold' ? 'allow to hold' : 'hold to allow'
}

function isChanged(recorded: Made, anew: Made): boolean {
  const members = ['error', 'risk', 'reasons', 'reported', 'obligations'] as const
  return members.some(
    (member) => recorded[member] !== undefined && !isDeepStrictEqual(recorded[member], anew[member]),
  )
}

function namesOf(reasons: readonly Pick<ReasonFields, 'code' | 'rule'>[]): string[] {
  return reasons.map(({ code, rule }) => `${code} (${rule})`)
}
