import type { Approval, ApprovalId } from '../../../gateway/approvals/approval.ts'
import { createApproval } from '../../../gateway/approvals/create-approval.ts'
import { openKey, pendingKey } from '../../../gateway/approvals/lifetime.ts'
import { vote } from '../../../gateway/approvals/vote.ts'
import type { ApprovalStore, Requested } from '../../../gateway/store/approval-store.ts'
import { approvalId, ballot, demand, type PendingOptions, person, subject } from '../../harness/approval.ts'

const ROOM = { perAgent: 100, overall: 1_000 }

export function request(
  store: ApprovalStore,
  options: PendingOptions = {},
  bounds = ROOM,
): Promise<Requested> {
  const kind = options.kind ?? 'approval'
  const what = subject(options.subject)
  const wanted = {
    openKey: openKey({ kind, subject: what }),
    pendingKey: pendingKey({ kind, subject: what }),
    make: (nowMs: number): Approval =>
      createApproval({
        id: approvalId(options.id ?? 'approval-1'),
        kind,
        subject: what,
        demand: demand(options.demand),
        nowMs,
      }),
  }
  return store.request(wanted, bounds)
}

export async function requestApproved(
  store: ApprovalStore,
  options: PendingOptions = {},
): Promise<ApprovalId> {
  await request(store, options)
  const id = approvalId(options.id ?? 'approval-1')
  await store.change(id, (approval, nowMs) => vote(approval, ballot(person('alice@acme.example')), nowMs))
  return id
}
