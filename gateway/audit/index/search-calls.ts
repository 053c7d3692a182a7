import type { SQLInputValue } from 'node:sqlite'
import type { AuditIndex } from './audit-index.ts'
import { globOf } from './glob.ts'
import type { IndexedPosition } from './index-writer.ts'
import { positionIn, type Row } from './positions.ts'

/** What calls are looked for by; all that is given has to hold. `*` in a text stands for anything. */
export interface CallFilter {
  readonly call?: string | undefined
  readonly agent?: string | undefined
  readonly principal?: string | undefined
  readonly tenant?: string | undefined
  readonly task?: string | undefined
  readonly operation?: string | undefined
  readonly decision?: string | undefined
  /** `open` for a call that has none on record. */
  readonly outcome?: string | undefined
  /** The approval that it asked for, or used up, or the review that it was put to. */
  readonly approval?: string | undefined
  /** The lock that stopped it. */
  readonly lock?: string | undefined
  /** Somebody who answered an approval of it. */
  readonly person?: string | undefined
  /** Any one of these: what is acted upon, in plain and as each key's token of it. */
  readonly resources?: readonly string[] | undefined
  /** Arrival, from then on, before then. */
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
}

export interface SearchOptions {
  readonly order: 'oldest' | 'newest'
  readonly limit?: number | undefined
}

/** A call as the index knows it; empty where its entries do not say. */
export interface FoundCall {
  readonly call: string
  readonly timeMs: number
  readonly agent: string
  readonly principal: string
  readonly tenant: string
  readonly task: string
  readonly operation: string
  readonly decision: string
  readonly outcome: string
  /** 0 while there is no outcome. */
  readonly status: number
  readonly risk: number | undefined
  /** Its `decision` entry, then its `outcome`: those that there are. */
  readonly entries: readonly IndexedPosition[]
}

const NAMED = ['agent', 'principal', 'tenant', 'task', 'operation', 'decision', 'outcome'] as const

const SELECT = `SELECT call, time, status, risk, ${NAMED.map(
  (column) => `(SELECT text FROM names WHERE id = calls.${column}) AS ${column}`,
).join(', ')}, intent_epoch, intent_segment, intent_offset, intent_number,
  end_epoch, end_segment, end_offset, end_number FROM calls`

const ANSWERED_BY = `call IN (SELECT call FROM call_approvals WHERE approval IN (
  SELECT answered.name FROM mentions AS person JOIN mentions AS answered ON answered.event = person.event
  WHERE person.role = 'person' AND person.name = ? AND answered.role = 'approval'))`

/** Calls that the filter lets through, one at a time. */
export function* searchCalls(
  { database }: AuditIndex,
  filter: CallFilter,
  { order, limit }: SearchOptions,
): Generator<FoundCall> {
  const { conditions, values } = conditionsOf(filter)
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  const direction = order === 'oldest' ? 'ASC' : 'DESC'
  const statement = database.prepare(
    `${SELECT} ${where} ORDER BY time ${direction}, id ${direction} LIMIT ${limit ?? -1}`,
  )
  for (const row of statement.iterate(...values)) yield foundCall(row)
}

function conditionsOf(filter: CallFilter): { conditions: string[]; values: SQLInputValue[] } {
  const conditions: string[] = []
  const values: SQLInputValue[] = []
  const add = (condition: string, ...more: SQLInputValue[]): void => {
    conditions.push(condition)
    values.push(...more)
  }
  if (filter.call !== undefined) add('call = ?', filter.call)

  for (const column of NAMED) {
    const wanted = filter[column]
    if (wanted === undefined) continue
    if (column === 'outcome' && wanted === 'open') add('outcome IS NULL')
    else if (wanted.includes('*'))
      add(`${column} IN (SELECT id FROM names WHERE text GLOB ?)`, globOf(wanted))
    else add(`${column} = (SELECT id FROM names WHERE text = ?)`, wanted)
  }
  if (filter.resources !== undefined) {
    const marks = filter.resources.map(() => '?').join(', ')
    const named = `SELECT id FROM names WHERE text IN (${marks})`
    add(`id IN (SELECT call FROM resources WHERE name IN (${named}))`, ...filter.resources)
  }
  if (filter.approval !== undefined)
    add('call IN (SELECT call FROM call_approvals WHERE approval = ?)', filter.approval)
  if (filter.lock !== undefined) add('call IN (SELECT call FROM call_locks WHERE lock = ?)', filter.lock)
  if (filter.person !== undefined) add(ANSWERED_BY, filter.person)
  if (filter.fromMs !== undefined) add('time >= ?', filter.fromMs)
  if (filter.toMs !== undefined) add('time < ?', filter.toMs)
  return { conditions, values }
}

function foundCall(row: Row): FoundCall {
  const text = (column: string): string => {
    const value = row[column]
    return typeof value === 'string' ? value : ''
  }
  return {
    call: text('call'),
    timeMs: Number(row['time']),
    agent: text('agent'),
    principal: text('principal'),
    tenant: text('tenant'),
    task: text('task'),
    operation: text('operation'),
    decision: text('decision'),
    outcome: text('outcome'),
    status: Number(row['status'] ?? 0),
    risk: row['risk'] === null ? undefined : Number(row['risk']),
    entries: ['intent_', 'end_']
      .filter((kind) => row[`${kind}epoch`] !== null)
      .map((kind) => positionIn(row, kind)),
  }
}
