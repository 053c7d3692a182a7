import { isDeepStrictEqual } from 'node:util'
import type { Reason, Verdict } from '../refusal.ts'
import type { Decision, Obligation } from './decision.ts'

/** What a policy makes of a call. */
export interface Made {
  readonly effect: 'allow' | 'deny' | 'hold' | 'error'
  /** `code (rule)` of each reason; the code of the refusal for an error. */
  readonly reasons: readonly string[]
  /** Likewise, of rules in report mode. */
  readonly reported: readonly string[]
  readonly obligations: readonly Obligation[]
  readonly risk: number | undefined
}

export type DifferenceKind = 'error' | 'allow to deny' | 'deny to allow' | 'changed'

export function madeOf(verdict: Verdict<Decision>): Made {
  if (!verdict.ok) {
    const reasons = [verdict.refusal.code]
    return { effect: 'error', reasons, reported: [], obligations: [], risk: undefined }
  }
  const { reasons, reported, obligations, risk } = verdict.value
  return {
    effect: effectOf(verdict.value),
    reasons: reasons.map(named),
    reported: reported.map(named),
    obligations,
    risk,
  }
}

/** A call that people have to be asked about is allowed by policy, and held by the gateway. */
export function effectOf({ allow, obligations }: Decision): 'allow' | 'deny' | 'hold' {
  if (!allow) return 'deny'
  return obligations.some(({ type, properties }) => type === 'approval' && properties.count > 0)
    ? 'hold'
    : 'allow'
}

/** What became of a call between two policies; `undefined` when nothing did. The words of a reason do not count. */
export function differenceOf(was: Made, is: Made): DifferenceKind | undefined {
  if (isDeepStrictEqual(was, is)) return undefined
  if (was.effect === 'error' || is.effect === 'error') return 'error'
  if ((was.effect === 'deny') === (is.effect === 'deny')) return 'changed'
  return is.effect === 'deny' ? 'allow to deny' : 'deny to allow'
}

function named({ code, rule }: Reason): string {
  return `${code} (${rule})`
}
