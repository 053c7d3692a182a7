import { type CallRecord, mainEntry } from '../../audit/call-record.ts'
import type { Disclosure } from '../../audit/disclosures/disclosure-reader.ts'
import type { DecisionEntry, OutcomeEntry } from '../../audit/entry.ts'
import { assertNever } from '../../lib/assert-never.ts'
import { printable } from '../../lib/scrub.ts'
import type { Paint } from '../policy/colours.ts'

/** Longest text of one value: the whole of it is in the JSON. */
const VALUE_LIMIT = 1_024

/** A call for a person to read: what was decided and why, then what came of it. */
export function describeCall(record: CallRecord, paint: Paint): string {
  const { found, decision, outcome, disclosure } = record
  const main = mainEntry(record)
  const title = `${text(found.operation) || 'no operation'}  ${found.decision || 'unknown'}`
  const lines: [string, string][] = [
    ['call', text(found.call)],
    ['who', main?.who === undefined ? 'nobody proven' : whoText(main.who)],
    ...(main === undefined ? ([['entries', 'pruned']] as [string, string][]) : mainLines(main)),
    ...disclosureLines(main, disclosure),
    ...(decision === undefined
      ? []
      : ([['intended', `${decision.time}, before anything was sent`]] as [string, string][])),
    ['ended', outcome === undefined ? 'no outcome on record yet' : endText(outcome)],
  ]
  const head = paint('bold', `${new Date(found.timeMs).toISOString()}  ${title}`)
  return `${head}\n${lines.map(([name, value]) => `  ${paint('dim', name.padEnd(11))}${value}\n`).join('')}`
}

function mainLines(entry: DecisionEntry | OutcomeEntry): [string, string][] {
  const { what, resource, environment, policy, reasons = [], declared, risk } = entry
  const lines: [string, string][] = []
  const add = (name: string, value: string): void => {
    if (value !== '') lines.push([name, value])
  }
  if (what !== undefined) add('what', `${what.method} ${text(what.operation)} (${what.access})`)
  if (resource !== undefined) {
    const { project, repository, channel, account, amount, currency } = resource
    const money = amount === 0 ? '' : `${amount} ${text(currency)}`
    add(
      'on',
      [project, repository, channel, account, money, environment ?? ''].filter(Boolean).map(text).join(', '),
    )
  }
  if (risk !== undefined) add('risk', String(risk))
  for (const { code, rule, detail } of reasons) add('reason', `${text(code)} (${text(rule)}) ${text(detail)}`)
  for (const { code, rule } of entry.reported ?? []) add('reported', `${text(code)} (${text(rule)})`)
  if (entry.type === 'decision') {
    const { approval, lock_epoch: lockEpoch, obligations } = entry
    add('owed', obligations.map(text).join(', '))
    if (approval) add('approved', `${approval.approvers.map(text).join(', ')} (${text(approval.id)})`)
    if (lockEpoch !== undefined) add('locks', `none stopped it, as of change ${lockEpoch}`)
  }
  if (policy !== undefined) add('policy', `${text(policy.digest)} (${text(policy.revision)})`)
  for (const [name, value = ''] of Object.entries(declared ?? {})) add(name.replace('_', ' '), text(value))
  return lines
}

function disclosureLines(
  entry: DecisionEntry | OutcomeEntry | undefined,
  { state, values }: Disclosure,
): [string, string][] {
  switch (state) {
    case 'none':
      return []
    case 'disclosed':
      return Object.keys(entry?.disclosed ?? {}).flatMap((part): [string, string][] => {
        const path = part === 'input' ? 'input' : `input.${part}`
        return [[part, printable(JSON.stringify(values.get(path)) ?? '', VALUE_LIMIT)]]
      })
    case 'locked':
      return [['disclosed', 'the key is not here']]
    case 'erased':
      return [['disclosed', 'erased']]
    case 'missing':
      return [['disclosed', 'missing: lost, or pruned']]
    case 'altered':
      return [['disclosed', 'ALTERED: not what the entry commits to']]
    default:
      return assertNever(state)
  }
}

function whoText({ agent, principal, act, tenant, binding }: NonNullable<DecisionEntry['who']>): string {
  const through = act.length === 0 ? '' : ` through ${act.map(text).join(', ')}`
  return `${text(agent)} for ${text(principal)}${through}, ${text(tenant)}, bound by ${binding}`
}

function endText({ time, outcome, status, upstream, reply, ms, detail = '' }: OutcomeEntry): string {
  const parts = [
    time,
    outcome === 'unknown' ? 'unknown: the process died in between' : `${text(outcome)} ${status}`,
    upstream === undefined ? '' : `upstream ${upstream.status} in ${upstream.ms} ms`,
    reply === undefined ? '' : `${reply.bytes} bytes`,
    ms === undefined ? '' : `${ms} ms in all`,
    text(detail),
  ]
  return parts.filter(Boolean).join(', ')
}

/** A log that somebody has altered may hold what a terminal would obey. */
function text(value: string): string {
  return printable(value, VALUE_LIMIT)
}
