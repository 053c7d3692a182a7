import { readIndexed } from '../call-record.ts'
import type { LockEntry } from '../change-entry.ts'
import type { AuditIndex } from '../index/audit-index.ts'
import { type EventFilter, type Mentions, searchEvents, searchMentioned } from '../index/search-events.ts'

/** What is on record of one lock. */
export interface LockHistory {
  readonly lock: string
  /** As it stands on record last. */
  readonly last: LockEntry
  /** `undefined` where it was set in a log that is not here. */
  readonly set: LockEntry | undefined
  /** What ended it; `undefined` where nothing did, or time alone, of which nobody wrote. */
  readonly end: LockEntry | undefined
  readonly fromMs: number
  /** Infinite where it has not ended. */
  readonly untilMs: number
  readonly entries: readonly LockEntry[]
}

/** `undefined` without an entry. */
export function lockHistory(entriesInAnyOrder: readonly LockEntry[]): LockHistory | undefined {
  const entries = entriesInAnyOrder.toSorted(
    (one, other) => timeOf(one) - timeOf(other) || one.lock_epoch - other.lock_epoch,
  )
  const last = entries.at(-1)
  if (last === undefined) return undefined
  const set = entries.find(({ state }) => state === 'set')
  const end = endAmong(entries)
  const expiresMs = last.expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(last.expires)
  return {
    lock: last.lock,
    last,
    set,
    end,
    fromMs: set === undefined ? Number.NEGATIVE_INFINITY : timeOf(set),
    untilMs: Math.min(expiresMs, end === undefined ? Number.POSITIVE_INFINITY : timeOf(end)),
    entries,
  }
}

/** Locks that were in force at some time of the period, of those that the filter lets through; oldest first. */
export function* locksInForce(
  index: AuditIndex,
  mentions: Mentions,
  {
    fromMs = Number.NEGATIVE_INFINITY,
    toMs = Number.POSITIVE_INFINITY,
  }: Pick<EventFilter, 'fromMs' | 'toMs'>,
): Generator<LockHistory> {
  const before = { types: ['lock'], mentions, toMs: Math.min(toMs, Number.MAX_SAFE_INTEGER) } as const
  for (const lock of searchMentioned(index, 'lock', before)) {
    const history = lockHistory(readLockEntries(index, lock))
    if (history !== undefined && history.fromMs < toMs && history.untilMs >= fromMs) yield history
  }
}

export function readLockEntries(index: AuditIndex, lock: string): LockEntry[] {
  const entries: LockEntry[] = []
  for (const { at } of searchEvents(index, { types: ['lock'], mentions: { lock } }, { order: 'oldest' })) {
    const entry = readIndexed(index, at)
    if (entry?.type === 'lock') entries.push(entry)
  }
  return entries
}

/** A release is written before it is done, and what failed or was put back did not end it. */
function endAmong(entries: readonly LockEntry[]): LockEntry | undefined {
  let end: LockEntry | undefined
  for (const entry of entries) {
    if (entry.state === 'released' || entry.state === 'expired') end = entry
    else if (entry.state !== 'release_requested') end = undefined
  }
  return end
}

function timeOf({ time }: LockEntry): number {
  return Date.parse(time)
}
