import type { Approval, Vote } from './approval.ts'
import type { Ballot, VoteRefusal } from './vote.ts'

interface Told {
  /** When it happened, in the time of the store. */
  readonly atMs: number
  /** As it stands after that. */
  readonly approval: Approval
}

/** Everything that happens to an approval. Of each, one gateway tells: the one whose change it was. */
export type ApprovalEvent =
  | (Told & { readonly kind: 'requested' | 'escalated' | 'approved' | 'denied' })
  | (Told & { readonly kind: 'expired' | 'revoked' | 'consumed' })
  | (Told & { readonly kind: 'voted'; readonly vote: Vote })
  /** Nothing changed, but that somebody tried is worth knowing. */
  | (Told & { readonly kind: 'vote_refused'; readonly ballot: Ballot; readonly why: VoteRefusal })

export type ApprovalEventKind = ApprovalEvent['kind']

/** What happened between two readings of the same approval, in the order in which it did. */
export function eventsBetween(before: Approval, approval: Approval, atMs: number): readonly ApprovalEvent[] {
  const events: ApprovalEvent[] = []
  if (approval.escalated && !before.escalated) events.push({ kind: 'escalated', atMs, approval })
  for (const vote of approval.votes.slice(before.votes.length)) {
    events.push({ kind: 'voted', atMs, approval, vote })
  }
  if (approval.state !== before.state && approval.state !== 'pending') {
    events.push({ kind: approval.state, atMs, approval })
  }
  return events
}
