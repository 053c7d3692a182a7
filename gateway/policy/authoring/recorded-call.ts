import type { FactFields } from '../../audit/entry-fields.ts'
import type { DecisionEntry, OutcomeEntry } from '../../audit/entry.ts'
import { decodeEntry } from '../../audit/entry.ts'
import type { DisclosureReader } from '../../audit/disclosures/disclosure-reader.ts'
import { readEntries } from '../../audit/read-entries.ts'
import type { PolicyTime } from '../calendar.ts'
import type { PolicyInput } from '../input.ts'
import { NOBODY } from '../evaluation/self-test.ts'
import type { ReadToken } from './known-tokens.ts'

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
const DECIDED: ReadonlySet<string> = new Set(['policy.denied', 'approval.required'])

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
  const { who, what, resource, policy, declared, environment, received } = entry
  if (!who || !what || !resource || !policy || !declared || !environment || received === undefined)
    return undefined
  if (entry.type === 'outcome' && !DECIDED.has(entry.outcome)) return undefined
  const time = timeOf?.(Date.parse(received))
  const { facts } = entry
  const unknown = new Set([
    'input.params.path',
    'input.params.query',
    'input.params.body',
    'input.params.digest',
  ])
  const known = <T>(path: string, value: T, isKnown: boolean): T => {
    if (!isKnown) unknown.add(`input.${path}`)
    return value
  }
  const text = (path: string, stored: string | undefined): string => {
    const value = readToken(stored ?? '')
    return known(path, value, stored !== undefined && !isTokenOrCut(value))
  }
  const input: PolicyInput = {
    v: 1,
    agent: { id: text('agent.id', who.agent), issuer: who.issuer, binding: who.binding, key: who.key },
    principal: {
      id: text('principal.id', who.principal),
      groups: known('principal.groups', facts?.groups ?? [], facts?.groups !== undefined),
      device_compliant: known(
        'principal.device_compliant',
        facts?.device_compliant ?? false,
        facts !== undefined,
      ),
      act: known('principal.act', who.act, who.act.length < 16),
    },
    tenant: text('tenant', who.tenant),
    scopes: known('scopes', facts?.scopes ?? [], facts?.scopes !== undefined),
    authorization_details: known('authorization_details', [], facts?.authorization_details === 0),
    operation: {
      id: what.operation,
      connector: what.connector,
      access: what.access,
      risk: known('operation.risk', facts?.risk ?? 0, facts !== undefined),
      data_class: known('operation.data_class', facts?.data_class ?? 'restricted', facts !== undefined),
      reversible: known('operation.reversible', facts?.reversible ?? false, facts !== undefined),
      environment,
    },
    params: {
      ...NOBODY.params,
      truncated: known('params.truncated', facts?.truncated ?? false, facts !== undefined),
    },
    resource: {
      project: text('resource.project', resource.project),
      repository: text('resource.repository', resource.repository),
      channel: text('resource.channel', resource.channel),
      account: text('resource.account', resource.account),
      amount: { value: resource.amount, currency: resource.currency },
    },
    declared: {
      task: text('declared.task', declared.task),
      rationale: text('declared.rationale', declared.rationale),
      ticket: text('declared.ticket', declared.ticket),
      rollback_plan: text('declared.rollback_plan', declared.rollback_plan),
    },
    signals: {
      secrets: known('signals.secrets', [], false),
      pii: known('signals.pii', [], false),
      injection: known('signals.injection', [], false),
      first_use: known('signals.first_use', facts?.first_use ?? false, facts !== undefined),
    },
    history: historyOf(facts, known),
    approval: NOBODY.approval,
    time: known('time', time ?? NOBODY.time, time !== undefined),
  }
  return { ...decisionIn(entry, policy), id: entry.call, received, input, unknown: [...unknown].sort() }
}

type RecordedList = 'operations_task' | 'operations_1h' | 'data_classes_task' | 'data_classes_1h'

function historyOf(
  facts: FactFields | undefined,
  known: <T>(path: string, value: T, isKnown: boolean) => T,
): PolicyInput['history'] {
  const { calls_1m = 0, denials_10m = 0, errors_1h = 0, writes_task = 0 } = facts ?? {}
  const recorded = <Name extends RecordedList>(name: Name): NonNullable<FactFields[Name]> | readonly [] =>
    known(`history.${name}`, facts?.[name] ?? [], facts?.[name] !== undefined)
  const history = {
    calls_1m,
    denials_10m,
    errors_1h,
    writes_task,
    spend_day: known('history.spend_day', facts?.spend_day ?? 0, facts?.spend_day !== undefined),
    spend_task: known('history.spend_task', facts?.spend_task ?? 0, facts?.spend_task !== undefined),
    operations_task: recorded('operations_task'),
    operations_1h: recorded('operations_1h'),
    data_classes_task: recorded('data_classes_task'),
    data_classes_1h: recorded('data_classes_1h'),
  }
  return facts === undefined ? known('history', history, false) : history
}

function decisionIn(
  entry: Entry,
  policy: RecordedCall['policy'],
): Omit<RecordedCall, 'id' | 'received' | 'input' | 'unknown'> {
  const held = entry.type === 'outcome' && entry.outcome === 'approval.required'
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

/** A keyed token, a commitment, or a text that was shortened or rid of a secret stands for something else. */
function isTokenOrCut(value: string): boolean {
  return (
    value.startsWith('hmac:') ||
    value.endsWith('…') ||
    value.includes('[removed]') ||
    value.includes('\ufffd')
  )
}
