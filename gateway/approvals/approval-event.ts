import type { Actor } from '../control/actor.ts'
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
  | (Told & { readonly kind: 'expired' | 'consumed' })
  /** `by` is missing where no person and no operator did it: the approval names who did. */
  | (Told & { readonly kind: 'revoked'; readonly by?: Actor })
  | (Told & { readonly kind: 'voted'; readonly vote: Vote })
  /** Nothing changed, but that somebody tried is worth knowing. */
  | (Told & { readonly kind: 'vote_refused'; readonly ballot: Ballot; readonly why: VoteRefusal })

export type ApprovalEventKind = ApprovalEvent['kind']

/** What happened between two readings of the same approval, in the order in which it did. */
export function eventsBetween(
  before: Approval,
  approval: Approval,
  atMs: number,
  by?: Actor,
): readonly ApprovalEvent[] {
  const events: ApprovalEvent[] = []
  if (approval.escalated && !before.escalated) events.push({ kind: 'escalated', atMs, approval })
  for (const vote of approval.votes.slice(before.votes.length)) {
    events.push({ kind: 'voted', atMs, approval, vote })
  }
  const { state } = approval
  if (state === before.state || state === 'pending') return events
  events.push(
    state === 'revoked'
      ? { kind: state, atMs, approval, ...(by && { by }) }
      : { kind: state, atMs, approval },
  )
  return events
}
