import { isSamePerson } from '../control/same-person.ts'
import type { Change } from '../store/approval-store.ts'
import type { Approval, Vote } from './approval.ts'
import { isOpen, settle } from './lifetime.ts'
import { isEntitled, isExcluded, peopleFor } from './people.ts'

export type Ballot = Omit<Vote, 'atMs'>

export type VoteRefusal =
  /** Not in a group that is asked, or not yet. */
  | 'not_entitled'
  /** It is their own call, or one made in their name. */
  | 'excluded'
  /** They were shown something else than what will be sent. */
  | 'stale_view'
  /** Too late: the state says what it became. */
  | 'final'

export type VoteAnswer =
  /** The state says what it made of the approval. */
  | { readonly kind: 'counted'; readonly approval: Approval }
  /** The same person has said the same before: nothing changed. */
  | { readonly kind: 'repeated'; readonly approval: Approval }
  | { readonly kind: 'refused'; readonly why: VoteRefusal; readonly approval: Approval }

/**
 * Takes one answer. A no ends it, even after enough people said yes, for as long as the call was not made: so it makes no
 * difference which of two answers at once came first.
 *
 * Who may answer is checked before all else, so that somebody who may not is always told (and recorded as) that.
 */
export function vote(approval: Approval, ballot: Ballot, nowMs: number): Change<VoteAnswer> {
  const current = settle(approval, nowMs)
  const unchanged = current === approval ? undefined : current
  const refuse = (why: VoteRefusal): Change<VoteAnswer> => ({
    next: unchanged,
    answer: { kind: 'refused', why, approval: current },
  })
  if (isExcluded(ballot.person, current.terms)) return refuse('excluded')
  if (!isEntitled(ballot.person, current)) return refuse('not_entitled')
  if (hasSaid(current, ballot)) return { next: unchanged, answer: { kind: 'repeated', approval: current } }
  if (!isOpen(current)) return refuse('final')
  if (current.state === 'approved' && ballot.verdict === 'approve') return refuse('final')
  if (ballot.viewDigest !== current.subject.viewDigest) return refuse('stale_view')
  const next = count({ ...current, votes: [...current.votes, cast(ballot, current, nowMs)] }, nowMs)
  return { next, answer: { kind: 'counted', approval: next } }
}

/** Of their groups only what entitles them: a directory may have put them into hundreds. */
function cast({ person, ...said }: Ballot, { terms }: Approval, atMs: number): Vote {
  const groups = person.groups.filter((group) => [...terms.groups, terms.escalationGroup].includes(group))
  return { ...said, person: { ...person, groups }, atMs }
}

function hasSaid({ votes }: Approval, { person, verdict }: Ballot): boolean {
  return votes.findLast((earlier) => isSamePerson(earlier.person, person))?.verdict === verdict
}

function count(approval: Approval, nowMs: number): Approval {
  const { votes, terms } = approval
  if (votes.at(-1)?.verdict === 'deny') return { ...approval, state: 'denied', resolvedAtMs: nowMs }
  if (peopleFor(votes).length < terms.count) return approval
  return { ...approval, state: 'approved', resolvedAtMs: nowMs }
}
