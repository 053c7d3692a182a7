import type { Person } from '../control/actor.ts'
import type { Approval, Terms, Vote } from './approval.ts'

/**
 * One form for all spellings of a name. Issuers and directories differ in case, width and blanks where they mean the same
 * person; two people whose names differ in no more than that count as one, which only ever asks for one more.
 */
export function identityOf(name: string): string {
  return name.normalize('NFKC').trim().toLowerCase()
}

/** Whoever vouches for them: one who is known to two issuers is still one person. */
export function isSamePerson(one: Pick<Person, 'id'>, other: Pick<Person, 'id'>): boolean {
  return identityOf(one.id) === identityOf(other.id)
}

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
