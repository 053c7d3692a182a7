import type { AuditIndex } from './audit-index.ts'
import { type CallFilter, type FoundCall, searchCalls, type SearchOptions } from './search-calls.ts'
import { type EventFilter, type FoundEvent, searchEvents } from './search-events.ts'

export type Found =
  { readonly kind: 'call'; readonly call: FoundCall } | { readonly kind: 'event'; readonly event: FoundEvent }

export interface RecordFilter {
  /** `undefined` for no calls. */
  readonly calls: CallFilter | undefined
  /** `undefined` for no events. */
  readonly events: EventFilter | undefined
}

/** Calls and events in the order of their times, each read only as far as it is asked for. */
export function* searchRecord(
  index: AuditIndex,
  { calls, events }: RecordFilter,
  { order, limit = Number.POSITIVE_INFINITY }: SearchOptions,
): Generator<Found> {
  const merged = mergeByTime(
    calls === undefined ? [] : searchCalls(index, calls, { order }),
    events === undefined ? [] : searchEvents(index, events, { order }),
    order,
  )
  let count = 0
  if (limit > 0)
    for (const found of merged) {
      yield found
      count += 1
      if (count >= limit) return
    }
}

/** Both have to be in that order already. */
export function* mergeByTime(
  calls: Iterable<FoundCall>,
  events: Iterable<FoundEvent>,
  order: SearchOptions['order'],
): Generator<Found> {
  const waiting = events[Symbol.iterator]()
  let next = waiting.next()
  for (const call of calls) {
    while (next.done !== true && isBefore(next.value.timeMs, call.timeMs, order)) {
      yield { kind: 'event', event: next.value }
      next = waiting.next()
    }
    yield { kind: 'call', call }
  }
  for (; next.done !== true; next = waiting.next()) yield { kind: 'event', event: next.value }
}

function isBefore(oneMs: number, otherMs: number, order: SearchOptions['order']): boolean {
  return order === 'oldest' ? oneMs < otherMs : oneMs > otherMs
}
