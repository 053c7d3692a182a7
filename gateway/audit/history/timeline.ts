import { type CallRecord, readCallRecord } from '../call-record.ts'
import type { DisclosureReader } from '../disclosures/disclosure-reader.ts'
import type { AuditIndex } from '../index/audit-index.ts'
import { type CallFilter, searchCalls } from '../index/search-calls.ts'
import { type FoundEvent, type Mentions, searchEvents, searchMentioned } from '../index/search-events.ts'
import { mergeByTime } from '../index/search-record.ts'
import { locksInForce } from './lock-history.ts'
import { ScopesOfCalls } from './scopes-of-calls.ts'

/** Whoever stops a runaway agent does so after what it did, and that is part of what happened. */
const AFTERMATH_MS = 3_600_000

export type TimelineItem =
  | { readonly kind: 'call'; readonly record: CallRecord }
  | { readonly kind: 'event'; readonly event: FoundEvent }

export interface OpenIndex {
  readonly index: AuditIndex
  readonly disclosures: DisclosureReader
}

/**
 * The calls that the filter lets through and what happened around them, oldest first: approvals asked of them, each vote
 * and use; detections that they led to; and the locks that were on any of them, their agents, people or tasks while they
 * were made or within an hour after. Calls are read one at a time, events are held as places in the log.
 */
export async function* timelineOf(record: OpenIndex, filter: CallFilter): AsyncGenerator<TimelineItem> {
  const scopes = new ScopesOfCalls()
  const events = new Events(record.index)
  let count = 0
  for (const found of searchCalls(record.index, filter, { order: 'oldest' })) {
    count += 1
    scopes.add(await readCallRecord(record, found))
    events.add({ call: found.call })
  }
  if (count > 0) addLocks(record.index, events, scopes)
  // A call that is on record nowhere can still have been asked about: its end was lost with the process.
  if (filter.task !== undefined) events.add({ task: filter.task })
  for (const approval of approvalsAmong(record.index, events)) events.add({ approval })
  const calls = searchCalls(record.index, filter, { order: 'oldest' })
  for (const each of mergeByTime(calls, events.sorted(), 'oldest')) {
    if (each.kind === 'event') yield each
    else yield { kind: 'call', record: await readCallRecord(record, each.call) }
  }
}

/** Locks that were on the calls, and detections that set them. */
function addLocks(index: AuditIndex, events: Events, scopes: ScopesOfCalls): void {
  const { fromMs, toMs } = scopes.period
  const period = { fromMs, toMs: toMs + AFTERMATH_MS }
  for (const { lock } of locksInForce(index, { scope: scopes.names }, period)) events.add({ lock })
}

/** Of an approval everything is told, its end too, which names no call of ours where it was never used. */
function approvalsAmong(index: AuditIndex, events: Events): ReadonlySet<string> {
  const ids = new Set<string>()
  for (const mentions of events.asked)
    for (const id of searchMentioned(index, 'approval', { types: ['approval'], mentions })) ids.add(id)
  return ids
}

/** Each event once, however it was found. */
class Events {
  readonly #index: AuditIndex
  readonly #found = new Map<string, FoundEvent>()
  /** What calls and tasks were asked after. */
  readonly asked: Mentions[] = []

  constructor(index: AuditIndex) {
    this.#index = index
  }

  add(mentions: Mentions): void {
    let isMentioned = false
    for (const event of searchEvents(this.#index, { mentions }, { order: 'oldest' })) {
      isMentioned = true
      this.#found.set(`${event.at.epoch}/${event.at.number}`, event)
    }
    if (isMentioned) this.asked.push(mentions)
  }

  sorted(): FoundEvent[] {
    return [...this.#found.values()].sort((one, other) => one.timeMs - other.timeMs)
  }
}
