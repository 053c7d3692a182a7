import { isDeepStrictEqual } from 'node:util'
import type { Reason } from '../../refusal.ts'
import type { Decision, Obligation } from '../decision.ts'
import type { PolicyInput } from '../input.ts'
import type { LocalEvaluator } from '../evaluator.ts'
import { sourcesInBundle } from './bundle-sources.ts'
import { outcomeOf } from './cases.ts'
import { inputReads, overlaps } from './input-reads.ts'
import { type RecordedCall, rulesIn } from './recorded-call.ts'

/** What one of the policies makes of a call. */
export interface Made {
  readonly effect: 'allow' | 'deny' | 'hold' | 'error'
  /** `code (rule)` of each reason; the code of the refusal for an error. */
  readonly reasons: readonly string[]
  /** Likewise, of rules in report mode. */
  readonly reported: readonly string[]
  readonly obligations: readonly Obligation[]
  readonly risk: number | undefined
}

export type FlipKind = 'error' | 'allow to deny' | 'deny to allow' | 'changed'

export interface Flip {
  readonly kind: FlipKind
  /** Of the case, or of the call. */
  readonly id: string
  readonly title: string
  readonly before: Made
  readonly after: Made
}

export interface Subject {
  readonly id: string
  readonly title: string
  readonly input: PolicyInput
}

type Decides = Pick<LocalEvaluator, 'decide'>

/** What is different between two policies for one call; `undefined` when nothing is. */
export function flipOf(before: Decides, after: Decides, { id, title, input }: Subject): Flip | undefined {
  const [was, is] = [madeOf(before, input), madeOf(after, input)]
  return isDeepStrictEqual(was, is) ? undefined : { kind: kindOf(was, is), id, title, before: was, after: is }
}

/** A call that is held is allowed by policy, which asks for people on top. */
function kindOf(was: Made, is: Made): FlipKind {
  if (was.effect === 'error' || is.effect === 'error') return 'error'
  if ((was.effect === 'deny') === (is.effect === 'deny')) return 'changed'
  return is.effect === 'deny' ? 'allow to deny' : 'deny to allow'
}

function madeOf(policy: Decides, input: PolicyInput): Made {
  const verdict = policy.decide(input)
  if (!verdict.ok)
    return {
      effect: 'error',
      reasons: [verdict.refusal.code],
      reported: [],
      obligations: [],
      risk: undefined,
    }
  const { reasons, reported, obligations, risk } = verdict.value
  return {
    effect: outcomeOf(verdict.value).effect,
    reasons: reasons.map(named),
    reported: reported.map(named),
    obligations,
    risk,
  }
}

function named({ code, rule }: Reason): string {
  return `${code} (${rule})`
}

/** Why a recorded call says nothing of the difference; `undefined` when it does. */
export type LeftOut = 'decides otherwise than it did' | 'reads what is not on record'

/**
 * Makes the judge of recorded calls. The record does not hold everything that rules may read, so a call counts only
 * where the old policy, given what is on record, decides as it did then; and where the new one reads nothing beyond
 * what the old one reads that is not on record.
 */
export async function createRecordJudge(
  before: Decides,
  bundles: { readonly before: Buffer; readonly after: Buffer },
): Promise<(call: RecordedCall) => LeftOut | undefined> {
  const read = await inputReads(sourcesInBundle(bundles.before))
  const newlyRead = [...(await inputReads(sourcesInBundle(bundles.after)))].filter((path) => !read.has(path))
  return (call) => {
    const verdict = before.decide(call.input)
    if (!verdict.ok || !decidesAsRecorded(verdict.value, call)) return 'decides otherwise than it did'
    const isOpen = call.unknown.some((path) => newlyRead.some((other) => overlaps(path, other)))
    return isOpen ? 'reads what is not on record' : undefined
  }
}

function decidesAsRecorded(
  { allow, reasons, reported, obligations, risk }: Decision,
  call: RecordedCall,
): boolean {
  return (
    allow === call.allowed &&
    isDeepStrictEqual(rulesIn(reasons), call.rules) &&
    isDeepStrictEqual(rulesIn(reported), call.reported) &&
    (call.risk === undefined || risk === call.risk) &&
    (call.obligations === undefined ||
      isDeepStrictEqual(
        obligations.map(({ id }) => id),
        call.obligations,
      ))
  )
}
