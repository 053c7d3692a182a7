import { isDeepStrictEqual } from 'node:util'
import type { Decision } from '../decision.ts'
import { differenceOf, type DifferenceKind, type Made, madeOf } from '../difference.ts'
import type { PolicyInput } from '../input.ts'
import type { LocalEvaluator } from '../evaluation/evaluator.ts'
import { sourcesInBundle } from './bundle-sources.ts'
import { inputReads, overlaps } from './input-reads.ts'
import type { PolicyFile } from './policy-file.ts'
import { type RecordedCall, rulesIn } from './recorded-call.ts'

export interface Flip {
  readonly kind: DifferenceKind
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
  const [was, is] = [madeOf(before.decide(input)), madeOf(after.decide(input))]
  const kind = differenceOf(was, is)
  return kind && { kind, id, title, before: was, after: is }
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
  bundles: { readonly before: PolicyFile; readonly after: PolicyFile },
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
