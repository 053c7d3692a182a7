import { readApprovalHistory } from '../history/approval-history.ts'
import { locksInForce } from '../history/lock-history.ts'
import type { AuditIndex } from '../index/audit-index.ts'
import { searchMentioned } from '../index/search-events.ts'
import type { Hold } from './holds.ts'

/**
 * The holds, each from when that began which reaches into its time: why a call of that time was stopped or allowed is
 * told by the entry that set the lock, and by those that asked and answered the approval, which may be older.
 */
export function reachOfHolds(index: AuditIndex, holds: readonly Hold[]): readonly Hold[] {
  return holds.map((hold) => {
    const period = { fromMs: hold.fromMs, toMs: hold.toMs + 1 }
    let { fromMs } = hold
    for (const lock of locksInForce(index, {}, period))
      if (lock.set !== undefined) fromMs = Math.min(fromMs, lock.fromMs)
    for (const id of searchMentioned(index, 'approval', { types: ['approval'], ...period })) {
      const asked = readApprovalHistory(index, id)?.requested
      if (asked !== undefined) fromMs = Math.min(fromMs, Date.parse(asked.time))
    }
    return { ...hold, fromMs }
  })
}
