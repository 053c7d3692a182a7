import type { DecisionEntry, OutcomeEntry } from '../../audit/entry.ts'
import { decodeEntry } from '../../audit/entry.ts'
import type { DisclosureReader } from '../../audit/disclosures/disclosure-reader.ts'
import { readEntries } from '../../audit/read-entries.ts'
import { isHold } from '../../refusal.ts'
import type { PolicyTime } from '../calendar.ts'
import type { PolicyInput } from '../input.ts'
import type { ReadToken } from './known-tokens.ts'
import { RecordedInput } from './recorded-input.ts'

/** What the record knows of a call that policy decided. */
export interface RecordedCall {
  readonly id: string
  readonly received: string
  /** By policy; it may have been held for people then. */
  readonly allowed: boolean
  /** Allowed, but waiting for people, so that nothing was sent. */
  readonly held: boolean
  readonly risk: number | undefined
  /** Rule ids that denied; empty when allowed. */
  readonly rules: readonly string[]
  readonly codes: readonly string[]
  /** Rule ids that would have denied, were they not in report mode. */
  readonly reported: readonly string[]
  readonly obligations: readonly string[] | undefined
  readonly policy: { readonly digest: string; readonly revision: string }
  /** As it was put to policy, where it is on record; elsewhere as of a call that says nothing. */
  readonly input: PolicyInput
  /** Paths of the input that are not on record as they were, such as `input.params.body`. */
  readonly unknown: readonly string[]
}

type Entry = DecisionEntry | OutcomeEntry

/** Outcomes that tell what policy decided of a call that has no intent on record. */
const DECIDED: ReadonlySet<string> = new Set(['policy.denied', 'approval.required', 'approval.pending'])

export interface RecordOptions {
  /** Local time as the configuration of the gateway has it; without it, weekday and business hours are unknown. */
  readonly timeOf?: ((receivedMs: number) => PolicyTime) | undefined
  /** Tells what stands behind a token where it can. */
  readonly readToken?: ReadToken
  /** Gives exact inputs back, where they have been kept and not forgotten. */
  readonly disclosures?: Pick<DisclosureReader, 'inputOf'>
}

/**
 * Calls that policy decided, in the order of the record. Of a call that was allowed the intent tells, of one that
 * was denied its outcome.
 */
export async function* recordedCalls(
  auditDirectory: string,
  options: RecordOptions = {},
): AsyncGenerator<RecordedCall> {
  for await (const { bytes } of readEntries(auditDirectory)) {
    const entry = decodeEntry(bytes)
    if (entry?.type !== 'decision' && entry?.type !== 'outcome') continue
    const call = recordedCall(entry, options)
    if (call === undefined) continue
    const input = await options.disclosures?.inputOf(entry)
    yield input === undefined ? call : { ...call, input, unknown: [] }
  }
}

/** `undefined` for an entry that tells of no decision. */
export function recordedCall(
  entry: Entry,
  { timeOf, readToken = (value) => value }: RecordOptions = {},
): RecordedCall | undefined {
  const { who, what, resource, policy, declared, environment, received, facts } = entry
  if (!who || !what || !resource || !policy || !declared || !environment || received === undefined)
    return undefined
  if (entry.type === 'outcome' && !DECIDED.has(entry.outcome)) return undefined
  const time = timeOf?.(Date.parse(received))
  const approval = entry.type === 'decision' ? entry.approval : undefined
  const fields = { who, what, resource, declared, environment, facts, time, approval }
  const reading = new RecordedInput(fields, readToken)
  const input = reading.input()
  return { ...decisionIn(entry, policy), id: entry.call, received, input, unknown: reading.unknown() }
}

function decisionIn(
  entry: Entry,
  policy: RecordedCall['policy'],
): Omit<RecordedCall, 'id' | 'received' | 'input' | 'unknown'> {
  const held = entry.type === 'outcome' && isHold(entry.outcome)
  const reasons = held ? [] : (entry.reasons ?? [])
  return {
    allowed: entry.type === 'decision' || held,
    held,
    risk: entry.risk,
    rules: rulesIn(reasons),
    codes: [...new Set(reasons.map(({ code }) => code))].sort(),
    reported: rulesIn(entry.reported ?? []),
    obligations: entry.type === 'decision' ? entry.obligations : undefined,
    policy,
  }
}

/** Each id once, sorted. */
export function rulesIn(reasons: readonly { readonly rule: string }[]): readonly string[] {
  return [...new Set(reasons.map(({ rule }) => rule))].sort()
}
