import type { LockChange } from '../audit/lock-entry.ts'
import { nameOfActor } from '../control/actor.ts'
import { formatScope } from '../locks/scope.ts'
import type { LockNews } from './event.ts'

/** What people are told of what happened to a lock; nothing where it is as it was. */
export function lockNews({ state, lock, by, reason, epoch }: LockChange, atMs: number): LockNews | undefined {
  if (state === 'release_failed' || state === 'restored') return undefined
  const { id, scope, expiresAtMs = 0 } = lock
  const facts = { id, scope: formatScope(scope), reason, epoch, expiresAtMs }
  return { type: `lock.${state}`, atMs, lock: facts, by: nameOfActor(by) }
}
