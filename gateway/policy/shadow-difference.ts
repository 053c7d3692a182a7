import type { CallId } from '../exchange.ts'
import type { Verdict } from '../refusal.ts'
import type { Decision } from './decision.ts'
import { differenceOf, madeOf } from './difference.ts'
import type { DifferenceKind } from './difference.ts'
import type { DecidedCall } from './shadow-queue.ts'

/** What came of deciding a call a second time; the label of the metric. */
export const SHADOW_RESULTS = [
  'same',
  'allow_to_deny',
  'deny_to_allow',
  'changed',
  'error',
  'dropped',
] as const
export type ShadowResult = (typeof SHADOW_RESULTS)[number]

/** A call that the two policies decide differently. */
export interface ShadowDifference {
  readonly callId: CallId
  readonly kind: Exclude<ShadowResult, 'same' | 'dropped'>
  readonly live: ShadowVerdict
  readonly shadow: ShadowVerdict
  /** Rules that deny in the shadow alone, and in the live policy alone; sorted. */
  readonly rulesAdded: readonly string[]
  readonly rulesDropped: readonly string[]
}

export interface ShadowVerdict {
  readonly verdict: Verdict<Decision>
  readonly digest: string
  readonly revision: string
}

const KINDS = {
  'allow to deny': 'allow_to_deny',
  'deny to allow': 'deny_to_allow',
  changed: 'changed',
  error: 'error',
} as const satisfies Record<DifferenceKind, ShadowResult>

/** `undefined` when both policies make the same of the call. */
export function shadowDifference(call: DecidedCall, shadow: ShadowVerdict): ShadowDifference | undefined {
  const kind = differenceOf(madeOf(call.verdict), madeOf(shadow.verdict))
  if (kind === undefined) return undefined
  const [before, after] = [rulesOf(call.verdict), rulesOf(shadow.verdict)]
  const { digest, revision } = call.by
  return {
    callId: call.callId,
    kind: KINDS[kind],
    live: { verdict: call.verdict, digest, revision },
    shadow: { verdict: shadow.verdict, digest: shadow.digest, revision: shadow.revision },
    rulesAdded: after.filter((rule) => !before.includes(rule)),
    rulesDropped: before.filter((rule) => !after.includes(rule)),
  }
}

function rulesOf(verdict: Verdict<Decision>): readonly string[] {
  return verdict.ok ? [...new Set(verdict.value.reasons.map(({ rule }) => rule))].sort() : []
}
