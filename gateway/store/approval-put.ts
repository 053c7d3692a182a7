import { hash } from 'node:crypto'
import { type Approval, APPROVAL_STATES } from '../approvals/approval.ts'
import { dueAtMs, isOpen, openKey, pendingKey } from '../approvals/lifetime.ts'
import type { ApprovalKeys } from './approval-keys.ts'
import type { PendingBounds } from './approval-store.ts'
import { encodeApproval } from './stored-approval.ts'

export interface Kept {
  readonly approval: Approval
  /** What was read before; empty for a new one. */
  readonly read: string
}

export interface PutBounds {
  /** Of a new one only. */
  readonly bounds: PendingBounds | undefined
  readonly keptMs: number
}

/** Keys and arguments of approval-put.lua, which lists them. */
export function putArguments(
  keys: ApprovalKeys,
  { approval, read }: Kept,
  { bounds, keptMs }: PutBounds,
): { readonly keys: readonly string[]; readonly args: readonly (string | number)[] } {
  const { id, kind, state, createdAtMs, resolvedAtMs } = approval
  const open = isOpen(approval)
  return {
    keys: [
      keys.approval(id),
      keys.open(openKey(approval)),
      keys.due,
      keys.pendingOf(pendingKey(approval)),
      keys.ended,
      keys.pendingOfKind(kind),
      ...APPROVAL_STATES.map((each) => keys.state(each)),
    ],
    args: [
      id,
      encodeApproval(approval),
      read === '' ? '' : hash('sha1', read),
      APPROVAL_STATES.indexOf(state) + 1,
      open ? 1 : 0,
      createdAtMs,
      open ? dueAtMs(approval) : resolvedAtMs,
      keptMs,
      keys.channel,
      bounds?.perAgent ?? 0,
      bounds?.overall ?? 0,
      keys.approvals,
    ],
  }
}
