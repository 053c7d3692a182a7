import type { Person } from '../control/actor.ts'
import { identityOf } from '../control/same-person.ts'
import type { Approval, Terms, Vote } from './approval.ts'

/** Whether it is their own call, or one that was made in their name. */
export function isExcluded({ id, groups }: Person, { excluded, excludedGroups }: Terms): boolean {
  const identity = identityOf(id)
  // Nobody is nobody: a person without a name could be anyone who is excluded.
  if (identity === '') return true
  return (
    excluded.some((name) => identityOf(name) === identity) ||
    groups.some((group) => excludedGroups.includes(group))
  )
}

export function isEntitled({ groups }: Person, { terms, escalated }: Approval): boolean {
  return groups.some(
    (group) => terms.groups.includes(group) || (escalated && group !== '' && group === terms.escalationGroup),
  )
}

/** Different people among those whose last word was yes. */
export function peopleFor(votes: readonly Vote[]): readonly Person[] {
  const people = new Map<string, Person>()
  for (const { person, verdict } of votes) {
    if (verdict === 'approve') people.set(identityOf(person.id), person)
    else people.delete(identityOf(person.id))
  }
  return [...people.values()]
}
