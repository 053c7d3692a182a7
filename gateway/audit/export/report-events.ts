import { lockHistory, locksInForce, readLockEntries, type LockHistory } from '../history/lock-history.ts'
import { timelineOf, type OpenIndex } from '../history/timeline.ts'
import type { CallFilter } from '../index/search-calls.ts'
import { type FoundEvent, searchEvents, searchMentioned } from '../index/search-events.ts'
import { readIndexed } from '../call-record.ts'

/** What happened beside the calls, by kind. */
export interface ReportEvents {
  /** Ids. */
  readonly approvals: Iterable<string>
  readonly locks: Iterable<LockHistory>
  readonly detections: Iterable<FoundEvent>
}

/**
 * Of a period everything; of an incident, which is what more than a time was asked for, what happened around its calls.
 */
export async function reportEvents(record: OpenIndex, filter: CallFilter): Promise<ReportEvents> {
  const { index } = record
  const { fromMs, toMs, ...more } = filter
  if (Object.values(more).some((wanted) => wanted !== undefined)) return eventsAround(record, filter)
  const period = { fromMs, toMs }
  return {
    approvals: searchMentioned(index, 'approval', { types: ['approval'], ...period }),
    locks: locksInForce(index, {}, period),
    detections: searchEvents(index, { types: ['detection'], ...period }, { order: 'oldest' }),
  }
}

async function eventsAround(record: OpenIndex, filter: CallFilter): Promise<ReportEvents> {
  const { index } = record
  const approvals = new Set<string>()
  const locks = new Set<string>()
  const detections: FoundEvent[] = []
  for await (const item of timelineOf(record, filter)) {
    if (item.kind === 'call') continue
    const entry = readIndexed(index, item.event.at)
    if (entry?.type === 'approval') approvals.add(entry.approval)
    else if (entry?.type === 'lock') locks.add(entry.lock)
    else if (entry?.type === 'detection') detections.push(item.event)
  }
  const histories = [...locks].flatMap((lock) => lockHistory(readLockEntries(index, lock)) ?? [])
  return { approvals, locks: histories, detections }
}
