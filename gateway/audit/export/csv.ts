import { type CallRecord, mainEntry } from '../call-record.ts'
import type { DetectionEntry } from '../change-entry.ts'

const COLUMNS = [
  'time',
  'call',
  'agent',
  'principal',
  'tenant',
  'task',
  'ticket',
  'connector',
  'operation',
  'access',
  'environment',
  'project',
  'repository',
  'channel',
  'account',
  'amount',
  'currency',
  'decision',
  'risk',
  'reasons',
  'policy_digest',
  'policy_revision',
  'outcome',
  'status',
  'upstream_status',
  'ms',
  // Of detections, which have rows of their own: only these, and what their last call was.
  'detection',
  'detection_rule',
  'severity',
  'subject',
  'count',
  'detail',
  'hypothesis',
  'next_step',
  'lock',
] as const

type Column = (typeof COLUMNS)[number]
type Cell = string | number | undefined

export const CSV_HEAD = `${COLUMNS.join(',')}\r\n`

/** One call as a line of RFC 4180. */
export function csvLine(record: CallRecord): string {
  const { found, outcome } = record
  const entry = mainEntry(record)
  const { what, resource, declared, policy, reasons = [], environment = '' } = entry ?? {}
  return lineOf({
    time: new Date(found.timeMs).toISOString(),
    call: found.call,
    agent: found.agent,
    principal: found.principal,
    tenant: found.tenant,
    task: found.task,
    ticket: declared?.ticket,
    connector: what?.connector,
    operation: found.operation,
    access: what?.access,
    environment,
    project: resource?.project,
    repository: resource?.repository,
    channel: resource?.channel,
    account: resource?.account,
    amount: resource?.amount,
    currency: resource?.currency,
    decision: found.decision,
    risk: found.risk,
    reasons: reasons.map(({ code, rule }) => `${code} (${rule})`).join('; '),
    policy_digest: policy?.digest,
    policy_revision: policy?.revision,
    outcome: found.outcome,
    status: outcome?.status,
    upstream_status: outcome?.upstream?.status,
    ms: outcome?.ms,
  })
}

/** A detection as a line of the same table; `call` is the one that made it enough. */
export function csvDetection(entry: DetectionEntry): string {
  const { subject, lock } = entry
  return lineOf({
    time: entry.time,
    call: entry.last_call,
    agent: entry.agent,
    principal: entry.principal,
    tenant: entry.tenant,
    operation: entry.operation,
    detection: entry.id,
    detection_rule: entry.rule,
    severity: entry.severity,
    subject: `${subject.kind} ${subject.name}`,
    count: entry.count,
    detail: entry.detail,
    hypothesis: entry.hypothesis,
    next_step: entry.next_step,
    lock: lock && `${lock.id} ${lock.scope}`,
  })
}

function lineOf(values: Partial<Record<Column, Cell>>): string {
  return `${COLUMNS.map((column) => cell(values[column])).join(',')}\r\n`
}

/** A spreadsheet takes a text that begins like this for a formula, and would run what an agent declared. */
const FORMULA = /^[=+\-@\t\r]/

function cell(value: Cell): string {
  if (value === undefined || typeof value === 'number') return String(value ?? '')
  const text = FORMULA.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
