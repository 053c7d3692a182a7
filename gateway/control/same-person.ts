import type { Person } from './actor.ts'

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
