import type { ApprovalEvent } from '../approvals/approval-event.ts'
import type { Approval } from '../approvals/approval.ts'
import type { DetectionName } from './rules.ts'
import type { Lockable, Seen, Sighting } from './sighting.ts'

/** What of that which happens to approvals is worth counting. */
export function approvalSightings(event: ApprovalEvent): readonly Sighting[] {
  const { approval } = event
  if (event.kind === 'requested' && approval.kind === 'approval')
    return [ofAgent('approvals_spike', approval, `approval ${approval.id}`)]
  // A no to an approval is what approvals are for; here the call has been made.
  if (event.kind === 'denied' && approval.kind === 'review')
    return [ofAgent('review_denied', approval, `review ${approval.id}`)]
  if (event.kind !== 'vote_refused') return []
  // To come too late, or to look at an older view, is no wrong.
  return event.why === 'not_entitled' || event.why === 'excluded' ? [unentitled(event)] : []
}

function ofAgent(rule: DetectionName, approval: Approval, detail: string): Sighting {
  const { agent, tenant } = approval.subject
  return {
    rule,
    subject: { kind: 'agent', tenant, issuer: agent.issuer, name: agent.id },
    about: '',
    seen: seenOf(approval),
    detail,
    lockable: lockableIn(approval),
  }
}

/** Nothing where the token was bound to no key: whoever has a copy of it could have called, too. */
function lockableIn({ subject: { agent, principal } }: Approval): readonly Lockable[] {
  const { id, issuer, key } = agent
  if (key === '') return []
  return [
    { kind: 'agent', name: id, issuer },
    { kind: 'principal', name: principal, issuer },
    { kind: 'key', name: key, issuer: '' },
  ]
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
    // People are compared with principals by name: a lock below whoever vouches for them here would stop no token of theirs.
    lockable: channel === 'admin' ? [{ kind: 'principal', name: id, issuer: '' }] : [],
  }
}

function seenOf({ subject }: Approval): Seen {
  const { agent, principal, tenant, operation, callId } = subject
  return { agent: agent.id, principal, tenant, peer: '', operation, callId }
}
