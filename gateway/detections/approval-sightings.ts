import type { ApprovalEvent } from '../approvals/approval-event.ts'
import type { Approval } from '../approvals/approval.ts'
import type { Seen, Sighting } from './sighting.ts'

/** What of that which happens to approvals is worth counting. */
export function approvalSightings(event: ApprovalEvent): readonly Sighting[] {
  const { approval } = event
  if (event.kind === 'requested' && approval.kind === 'approval') return [asked(approval)]
  if (event.kind !== 'vote_refused') return []
  // To come too late, or to look at an older view, is no wrong.
  return event.why === 'not_entitled' || event.why === 'excluded' ? [unentitled(event)] : []
}

function asked(approval: Approval): Sighting {
  const { agent, principal, tenant } = approval.subject
  const { id, issuer, key } = agent
  return {
    rule: 'approvals_spike',
    subject: { kind: 'agent', tenant, issuer, name: id },
    about: '',
    seen: seenOf(approval),
    detail: `approval ${approval.id}`,
    lockable: [
      { kind: 'agent', name: id, issuer },
      { kind: 'principal', name: principal, issuer },
      ...(key === '' ? [] : [{ kind: 'key' as const, name: key, issuer: '' }]),
    ],
  }
}

/** Whoever speaks through a channel that only vouches for them, such as Slack, has not proven to be the principal of that name. */
function unentitled(event: Extract<ApprovalEvent, { kind: 'vote_refused' }>): Sighting {
  const { ballot, approval, why } = event
  const { id, issuer, channel } = ballot.person
  return {
    rule: 'vote_not_entitled',
    subject: { kind: 'person', tenant: '', issuer, name: id },
    about: '',
    seen: { ...seenOf(approval), principal: id },
    detail: `${why}: ${ballot.verdict} of approval ${approval.id} through ${channel}`,
    lockable: channel === 'admin' ? [{ kind: 'principal', name: id, issuer }] : [],
  }
}

function seenOf({ subject }: Approval): Seen {
  const { agent, principal, tenant, operation, callId } = subject
  return { agent: agent.id, principal, tenant, peer: '', operation, callId }
}
