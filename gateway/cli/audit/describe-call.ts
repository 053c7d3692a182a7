import { type CallRecord, mainEntry } from '../../audit/call-record.ts'
import type { Disclosure } from '../../audit/disclosures/disclosure-reader.ts'
import type { DecisionEntry, OutcomeEntry } from '../../audit/entry.ts'
import { assertNever } from '../../lib/assert-never.ts'
import type { Paint } from '../policy/colours.ts'
import { shown } from './shown.ts'

/** A call for a person to read: what was decided and why, then what came of it. */
export function describeCall(record: CallRecord, paint: Paint): string {
  const { found, decision, outcome, disclosure } = record
  const main = mainEntry(record)
  const title = `${shown(found.operation) || 'no operation'}  ${found.decision || 'unknown'}`
  const lines: [string, string][] = [
    ['call', shown(found.call)],
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
  if (what !== undefined) add('what', `${what.method} ${shown(what.operation)} (${what.access})`)
  if (resource !== undefined) {
    const { project, repository, channel, account, amount, currency } = resource
    const money = amount === 0 ? '' : `${amount} ${shown(currency)}`
    add(
      'on',
      [project, repository, channel, account, money, environment ?? ''].filter(Boolean).map(shown).join(', '),
    )
  }
  if (risk !== undefined) add('risk', String(risk))
  for (const { code, rule, detail } of reasons)
    add('reason', `${shown(code)} (${shown(rule)}) ${shown(detail)}`)
  for (const { code, rule } of entry.reported ?? []) add('reported', `${shown(code)} (${shown(rule)})`)
  if (entry.type === 'decision') {
    const { approval, lock_epoch: lockEpoch, obligations } = entry
    add('owed', obligations.map(shown).join(', '))
    if (approval) add('approved', `${approval.approvers.map(shown).join(', ')} (${shown(approval.id)})`)
    if (lockEpoch !== undefined) add('locks', `none stopped it, as of change ${lockEpoch}`)
  }
  if (policy !== undefined) add('policy', `${shown(policy.digest)} (${shown(policy.revision)})`)
  for (const [name, value = ''] of Object.entries(declared ?? {})) add(name.replace('_', ' '), shown(value))
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
        return [[part, shown(JSON.stringify(values.get(path)) ?? '')]]
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
  const through = act.length === 0 ? '' : ` through ${act.map(shown).join(', ')}`
  return `${shown(agent)} for ${shown(principal)}${through}, ${shown(tenant)}, bound by ${binding}`
}

function endText({ time, outcome, status, upstream, reply, ms, detail = '' }: OutcomeEntry): string {
  const parts = [
    time,
    outcome === 'unknown' ? 'unknown: the process died in between' : `${shown(outcome)} ${status}`,
    upstream === undefined ? '' : `upstream ${upstream.status} in ${upstream.ms} ms`,
    reply === undefined ? '' : `${reply.bytes} bytes`,
    ms === undefined ? '' : `${ms} ms in all`,
    shown(detail),
  ]
  return parts.filter(Boolean).join(', ')
}
