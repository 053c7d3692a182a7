import type { Actor } from '../control/actor.ts'
import type { Approval, Vote } from './approval.ts'
import { endsAtMs, isOpen } from './lifetime.ts'
import { isEntitled, isExcluded } from './people.ts'

/** Whether somebody may answer: as themselves, not yet, or never. */
export type Standing = 'entitled' | 'not_entitled' | 'excluded'

/** One row of a list; times in RFC 3339. */
export function summaryOf(approval: Approval): object {
  const { id, kind, state, subject, terms, votes, escalated, createdAtMs, resolvedAtMs } = approval
  const { tenant, agent, principal, connector, operation, task, risk } = subject
  return {
    id,
    kind,
    state,
    tenant,
    agent: agent.id,
    principal,
    connector,
    operation,
    task,
    risk,
    approvals: { given: votes.filter(({ verdict }) => verdict === 'approve').length, needed: terms.count },
    groups: terms.groups,
    escalationGroup: terms.escalationGroup,
    escalated,
    created: timeOf(createdAtMs),
    ...(isOpen(approval) ? { ends: timeOf(endsAtMs(approval)) } : {}),
    ...(resolvedAtMs === 0 ? {} : { resolved: timeOf(resolvedAtMs) }),
  }
}

/** All that people need to answer, and what became of it; `you` is whoever asks. */
export function detailsOf(approval: Approval, you: Standing): object {
  const { subject, terms, consumedBy, revokedBy, revocationReason } = approval
  const { agent, callId, reasons, policy, view, viewDigest } = subject
  return {
    ...summaryOf(approval),
    call: callId,
    agent,
    reasons,
    policy,
    view,
    viewDigest,
    escalates: timeOf(terms.escalateAtMs),
    excluded: terms.excluded,
    excludedGroups: terms.excludedGroups,
    votes: approval.votes.map(voteOf),
    ...(consumedBy === '' ? {} : { consumedBy }),
    ...(revokedBy === '' ? {} : { revokedBy, revocationReason }),
    you,
  }
}

export function standingOf(actor: Actor, approval: Approval): Standing {
  if (actor.kind !== 'person') return 'not_entitled'
  if (isExcluded(actor.person, approval.terms)) return 'excluded'
  return isEntitled(actor.person, approval) ? 'entitled' : 'not_entitled'
}

function voteOf({ person, verdict, viewDigest, comment, atMs }: Vote): object {
  const { id, issuer, channel } = person
  return { person: { id, issuer, channel }, verdict, viewDigest, comment, at: timeOf(atMs) }
}

function timeOf(atMs: number): string {
  return new Date(atMs).toISOString()
}
