import { readIndexed } from '../../audit/call-record.ts'
import type { AuditIndex } from '../../audit/index/audit-index.ts'
import { type EventEntry, isEvent } from '../../audit/index/event.ts'
import type { FoundEvent } from '../../audit/index/search-events.ts'

/** The entry itself, from the log; `undefined` where that has been pruned. */
export function readEvent(index: AuditIndex, { at }: FoundEvent): EventEntry | undefined {
  const entry = readIndexed(index, at)
  return entry !== undefined && isEvent(entry) ? entry : undefined
}

/** The entry as it is, and its number in its log. */
export function eventJson(index: AuditIndex, found: FoundEvent): object {
  const { type, timeMs, at } = found
  const entry = readEvent(index, found)
  return { time: new Date(timeMs).toISOString(), type, number: at.number, entry: entry ?? null }
}
