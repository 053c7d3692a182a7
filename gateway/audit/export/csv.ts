import { type CallRecord, mainEntry } from '../call-record.ts'

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
] as const

export const CSV_HEAD = `${COLUMNS.join(',')}\r\n`

/** One call as a line of RFC 4180. */
export function csvLine(record: CallRecord): string {
  const { found, outcome } = record
  const entry = mainEntry(record)
  const { what, resource, declared, policy, reasons = [], environment = '' } = entry ?? {}
  const values: Record<(typeof COLUMNS)[number], string | number | undefined> = {
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
  }
  return `${COLUMNS.map((column) => cell(values[column])).join(',')}\r\n`
}

/** A spreadsheet takes a text that begins like this for a formula, and would run what an agent declared. */
const FORMULA = /^[=+\-@\t\r]/

function cell(value: string | number | undefined): string {
  if (value === undefined || typeof value === 'number') return String(value ?? '')
  const text = FORMULA.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
