import type {
  Approval,
  ApprovalDemand,
  ApprovalId,
  ApprovalKind,
  Subject,
} from '../../gateway/approvals/approval.ts'
import { createApproval } from '../../gateway/approvals/create-approval.ts'
import type { Ballot } from '../../gateway/approvals/vote.ts'
import type { Person } from '../../gateway/control/actor.ts'
import type { CallId } from '../../gateway/exchange.ts'

export const VIEW_DIGEST = 'd'.repeat(64)

export function approvalId(name: string): ApprovalId {
  return name as ApprovalId
}

export function callId(name: string): CallId {
  return name as CallId
}

/** Somebody in `change-approvers`, unless told otherwise. */
export function person(id: string, more: Partial<Person> = {}): Person {
  return {
    id,
    issuer: 'https://people.example',
    groups: ['change-approvers'],
    channel: 'admin',
    authentication: 'mtls',
    ...more,
  }
}

/** Whose answers count: everybody's, with the groups that they had. */
export const EVERYBODY_IS_KNOWN = { now: (who: Person): Person => who }

export function subject(more: Partial<Subject> = {}): Subject {
  return {
    binding: 'b'.repeat(64),
    callId: callId('call-1'),
    tenant: 'acme',
    agent: { id: 'release-bot', issuer: 'https://issuer.example', key: 'thumbprint' },
    principal: 'pat@acme.example',
    connector: 'github',
    operation: 'github.pulls/merge',
    task: 'task-1',
    risk: 5,
    reasons: [],
    policy: { digest: 'sha256:1', revision: '1' },
    view: 'PUT /repos/acme/site/pulls/1/merge',
    viewDigest: VIEW_DIGEST,
    ...more,
  }
}

/** One of `change-approvers` within half an hour; `change-managers`, too, after ten minutes. */
export function demand(more: Partial<ApprovalDemand> = {}): ApprovalDemand {
  return {
    groups: ['change-approvers'],
    count: 1,
    escalationGroup: 'change-managers',
    escalateAfterMs: 600_000,
    answerWithinMs: 1_800_000,
    useWithinMs: 900_000,
    excluded: ['pat@acme.example', 'delegator@acme.example', 'release-bot', 'owner@acme.example'],
    excludedGroups: [],
    ...more,
  }
}

export interface PendingOptions {
  readonly id?: string
  readonly kind?: ApprovalKind
  readonly subject?: Partial<Subject>
  readonly demand?: Partial<ApprovalDemand>
  readonly nowMs?: number
}

export function pendingApproval(options: PendingOptions = {}): Approval {
  return createApproval({
    id: approvalId(options.id ?? 'approval-1'),
    kind: options.kind ?? 'approval',
    subject: subject(options.subject),
    demand: demand(options.demand),
    nowMs: options.nowMs ?? 0,
  })
}

export function ballot(who: Person, more: Partial<Ballot> = {}): Ballot {
  return { person: who, verdict: 'approve', viewDigest: VIEW_DIGEST, comment: '', ...more }
}
