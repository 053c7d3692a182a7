import type { AuditIndex } from '../../audit/index/audit-index.ts'
import { type CallFilter, searchCalls } from '../../audit/index/search-calls.ts'
import { type FoundEvent, searchEvents } from '../../audit/index/search-events.ts'
import { type Found, mergeByTime } from '../../audit/index/search-record.ts'
import { readEvent } from './read-event.ts'

/** Calls that the filter lets through, and what was detected in them, oldest first. */
export function searchExported(index: AuditIndex, filter: CallFilter): Generator<Found> {
  return mergeByTime(
    searchCalls(index, filter, { order: 'oldest' }),
    searchDetections(index, filter),
    'oldest',
  )
}

/** The period is that of the detection; everything else is asked of the call that made it enough. */
function* searchDetections(index: AuditIndex, filter: CallFilter): Generator<FoundEvent> {
  const { fromMs, toMs, ...asked } = filter
  const isAll = Object.values(asked).every((value) => value === undefined)
  for (const found of searchEvents(index, { types: ['detection'], fromMs, toMs }, { order: 'oldest' }))
    if (isAll || isOfCall(index, found, asked)) yield found
}

function isOfCall(index: AuditIndex, found: FoundEvent, asked: CallFilter): boolean {
  const entry = readEvent(index, found)
  const call = entry?.type === 'detection' ? entry.last_call : undefined
  if (call === undefined || (asked.call ?? call) !== call) return false
  using calls = searchCalls(index, { ...asked, call }, { order: 'oldest', limit: 1 })
  return calls.next().done !== true
}
