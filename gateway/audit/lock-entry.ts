import type { Actor } from '../control/actor.ts'
import { printable } from '../lib/scrub.ts'
import type { Lock } from '../locks/lock.ts'
import { formatScope } from '../locks/scope.ts'
import { detailField } from './call-fields.ts'
import { isoTime } from '../lib/iso-time.ts'
import type { LockEntry } from './change-entry.ts'
import type { ActorFields } from './entry-fields.ts'

/** What became of a lock, through whom. */
export interface LockChange {
  readonly state: LockEntry['state']
  readonly lock: Lock
  readonly by: Actor
  /** Given for this change. */
  readonly reason: string
  /** The newest change of the locks when this was written. */
  readonly epoch: number
}

const SCOPE_LIMIT = 1_600

export function lockEntry({ state, lock, by, reason, epoch }: LockChange, nowMs: number): LockEntry {
  const { expiresAtMs, tokensBeforeMs } = lock
  return {
    by: actorFields(by),
    ...(expiresAtMs !== undefined && { expires: isoTime(expiresAtMs) }),
    lock: lock.id,
    lock_epoch: epoch,
    reason: detailField(reason),
    release: lock.release,
    scope: printable(formatScope(lock.scope), SCOPE_LIMIT),
    state,
    time: isoTime(nowMs),
    ...(tokensBeforeMs !== undefined && { tokens_before: isoTime(tokensBeforeMs) }),
    type: 'lock',
    v: 1,
    writes_only: lock.writesOnly,
  }
}

export function actorFields(actor: Actor): ActorFields {
  switch (actor.kind) {
    case 'operator':
      return { kind: 'operator' }
    case 'gateway':
      return { kind: 'gateway', part: printable(actor.part, 64) }
    case 'person': {
      const { authentication, channel, id, issuer } = actor.person
      return {
        authentication: printable(authentication, 128),
        channel,
        id: printable(id, 256),
        issuer: printable(issuer, 256),
        kind: 'person',
      }
    }
  }
}
