import type { Approval, ApprovalDemand, ApprovalId, ApprovalKind, Subject } from './approval.ts'

export interface NewApproval {
  readonly id: ApprovalId
  readonly kind: ApprovalKind
  readonly subject: Subject
  readonly demand: ApprovalDemand
  /** Time of the store. */
  readonly nowMs: number
}

export function createApproval({ id, kind, subject, demand, nowMs }: NewApproval): Approval {
  const { groups, count, escalationGroup, useWithinMs, excluded, excludedGroups } = demand
  return {
    id,
    kind,
    subject,
    terms: {
      groups,
      count,
      escalationGroup,
      escalateAtMs: nowMs + demand.escalateAfterMs,
      expiresAtMs: nowMs + demand.answerWithinMs,
      useWithinMs,
      excluded,
      excludedGroups,
    },
    state: 'pending',
    votes: [],
    escalated: false,
    createdAtMs: nowMs,
    resolvedAtMs: 0,
    consumedBy: '',
    revokedBy: '',
    revocationReason: '',
  }
}
