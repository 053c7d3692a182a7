import type { SQLInputValue } from 'node:sqlite'
import type { AuditIndex } from './audit-index.ts'
import type { EventType, MentionRole } from './event.ts'
import { globOf } from './glob.ts'
import type { IndexedPosition } from './index-writer.ts'
import { positionIn } from './positions.ts'
import type { SearchOptions } from './search-calls.ts'

export type Mentions = { readonly [Role in MentionRole]?: string | readonly string[] | undefined }

/** What events are looked for by; all that is given has to hold. */
export interface EventFilter {
  /** Any one of these; all of them where there is none. */
  readonly types?: readonly EventType[] | undefined
  /** What an event names, as what. `*` in a text stands for anything; of several names one is enough. */
  readonly mentions?: Mentions | undefined
  /** When it was put on record, from then on, before then. */
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
}

/** An event as the index knows it. */
export interface FoundEvent {
  readonly type: EventType
  readonly timeMs: number
  readonly at: IndexedPosition
}

/** Events that the filter lets through, one at a time. */
export function* searchEvents(
  { database }: AuditIndex,
  filter: EventFilter,
  { order, limit }: SearchOptions,
): Generator<FoundEvent> {
  const { condition, values } = conditionOf(filter)
  const direction = order === 'oldest' ? 'ASC' : 'DESC'
  const statement = database.prepare(
    `SELECT * FROM events WHERE ${condition} ORDER BY time ${direction}, id ${direction} LIMIT ${limit ?? -1}`,
  )
  for (const row of statement.iterate(...values)) {
    yield { type: String(row['type']) as EventType, timeMs: Number(row['time']), at: positionIn(row, '') }
  }
}

/** Names that events which the filter lets through mention as `role`, each once, the one that came first first. */
export function* searchMentioned(
  { database }: AuditIndex,
  role: MentionRole,
  filter: EventFilter,
): Generator<string> {
  const { condition, values } = conditionOf(filter)
  const statement = database.prepare(
    `SELECT name, MIN(time) AS first FROM mentions JOIN events ON events.id = mentions.event
     WHERE role = ? AND ${condition} GROUP BY name ORDER BY first, name`,
  )
  for (const row of statement.iterate(role, ...values)) yield String(row['name'])
}

function conditionOf({ types, mentions = {}, fromMs, toMs }: EventFilter): {
  condition: string
  values: SQLInputValue[]
} {
  const conditions = ['TRUE']
  const values: SQLInputValue[] = []
  const add = (condition: string, ...more: SQLInputValue[]): void => {
    conditions.push(condition)
    values.push(...more)
  }
  if (types !== undefined) add(`type IN (SELECT value FROM json_each(?))`, JSON.stringify(types))
  for (const [role, names] of Object.entries(mentions)) {
    if (names === undefined) continue
    const mentioned = (test: string, value: string): void =>
      add(`events.id IN (SELECT event FROM mentions WHERE role = ? AND name ${test})`, role, value)
    if (typeof names !== 'string') mentioned('IN (SELECT value FROM json_each(?))', JSON.stringify(names))
    else if (names.includes('*')) mentioned('GLOB ?', globOf(names))
    else mentioned('= ?', names)
  }
  if (fromMs !== undefined) add('time >= ?', fromMs)
  if (toMs !== undefined) add('time < ?', toMs)
  return { condition: conditions.join(' AND '), values }
}
