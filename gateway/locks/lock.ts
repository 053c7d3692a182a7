import type { Actor } from '../control/actor.ts'
import { isSamePerson } from '../control/same-person.ts'
import type { Branded } from '../lib/branded.ts'
import { formatScope, type LockScope, parseScope } from './scope.ts'

/** UUIDv7. */
export type LockId = Branded<string, 'LockId'>

/** Somebody wanted a lock released that takes another person. */
export interface ReleaseRequest {
  readonly by: Actor
  readonly reason: string
  readonly atMs: number
}

/** A kill switch in force. There is none that is not: one that ended is on record, and nowhere else. */
export interface Lock {
  readonly id: LockId
  readonly scope: LockScope
  /** Stops only what changes something. */
  readonly writesOnly: boolean
  /** Stops only tokens issued before: the others of the same agent or person go on. */
  readonly tokensBeforeMs: number | undefined
  readonly reason: string
  readonly author: Actor
  readonly setAtMs: number
  /** `undefined` stays until somebody releases it. */
  readonly expiresAtMs: number | undefined
  readonly release: ReleaseRule
  readonly releaseRequests: readonly ReleaseRequest[]
}

/** Who may end a lock before its time: whoever may act at all, or only a second person. */
export type ReleaseRule = 'anyone' | 'another-person'

export const RELEASE_RULES: readonly ReleaseRule[] = ['anyone', 'another-person']

/**
 * Whether this actor ends the lock. Two different people stand behind the release of a lock that asks for it: who set it
 * counts as one, and so does who asked before. A shared token is nobody, and the gateway never releases.
 */
export function mayRelease({ author, release, releaseRequests }: Lock, actor: Actor): boolean {
  if (release === 'anyone') return true
  if (actor.kind !== 'person') return false
  // What a part of the gateway set was set by no person, so the first person is another one.
  if (author.kind === 'gateway') return true
  const others = [author, ...releaseRequests.map(({ by }) => by)]
  return others.some((other) => other.kind === 'person' && !isSamePerson(other.person, actor.person))
}

/** The form it is kept in; `scope` as text. */
export function encodeLock({ scope, ...rest }: Lock): string {
  return JSON.stringify({ ...rest, scope: formatScope(scope) })
}

/**
 * @throws {TypeError} for what is no lock of ours: of a lock that cannot be read nobody knows what it stops, so that the
 * locks in force are unknown as a whole
 */
export function decodeLock(text: string): Lock {
  const parsed: unknown = JSON.parse(text)
  if (typeof parsed !== 'object' || parsed === null || !('scope' in parsed)) throw unreadable()
  const kept = parsed as Omit<Lock, 'scope'> & { readonly scope: unknown }
  const scope = typeof kept.scope === 'string' ? parseScope(kept.scope) : undefined
  const sound =
    typeof kept.id === 'string' &&
    typeof kept.writesOnly === 'boolean' &&
    isTime(kept.tokensBeforeMs) &&
    isTime(kept.expiresAtMs) &&
    RELEASE_RULES.includes(kept.release) &&
    Array.isArray(kept.releaseRequests)
  if (scope === undefined || !sound) throw unreadable()
  return { ...kept, tokensBeforeMs: kept.tokensBeforeMs, expiresAtMs: kept.expiresAtMs, scope }
}

function isTime(value: unknown): boolean {
  return value === undefined || (typeof value === 'number' && Number.isFinite(value))
}

function unreadable(): TypeError {
  return new TypeError(
    'a lock in the store cannot be read: was it written by a later version of the gateway?',
  )
}
