import type { Clock } from '../lib/clock.ts'
import type { Lock } from '../locks/lock.ts'
import type { ControlFile } from './control-file.ts'
import { type LockFollower, type LockStore, type LockStoreEvents, MOST_LOCKS } from './lock-store.ts'
import { LockTable } from './lock-table.ts'

export interface EmbeddedLockStoreOptions {
  readonly file: ControlFile
  readonly follower: LockFollower
  readonly events: Pick<LockStoreEvents, 'failed'>
  readonly clock: Pick<Clock, 'nowMs'>
}

/** Locks of one machine in its control file, for all of its workers. The file outlives them, and is not theirs to close. */
export function createEmbeddedLockStore({
  file,
  follower,
  events,
  clock,
}: EmbeddedLockStoreOptions): LockStore {
  const table = new LockTable(file)
  const look = createLook(table, follower, events)
  const change = <T>(work: () => T): T => {
    const answer = file.transact(work)
    look()
    return answer
  }

  const stop = file.watch({ changed: look, heard: look })
  look()
  return {
    add: async (lock) =>
      change(() => {
        if (table.count() >= MOST_LOCKS) return { kind: 'full' } as const
        table.add(lock)
        return { kind: 'added', shared: true, witnessed: true } as const
      }),
    remove: async (id) =>
      change(() => {
        const lock = table.find(id)
        if (lock !== undefined) table.remove(id)
        return lock
      }),
    change: async (id, next) =>
      change(() => {
        const lock = table.find(id)
        if (lock === undefined) return undefined
        const changed = next(lock)
        if (changed !== lock) table.replace(id, changed)
        return changed
      }),
    expire: async () => change(() => expire(table, clock.nowMs())),
    refresh: async () => look(),
    [Symbol.asyncDispose]: async () => stop(),
  }
}

/**
 * Tells the follower what the file has. Nothing is heard while the newest change cannot be read: what this process acts
 * upon is not what is in force.
 */
function createLook(
  table: LockTable,
  follower: LockFollower,
  events: EmbeddedLockStoreOptions['events'],
): () => void {
  let epoch = -1
  return () => {
    try {
      if (table.epoch() !== epoch) {
        const snapshot = table.snapshot()
        epoch = snapshot.epoch
        follower.changed(snapshot)
      }
      follower.heard()
    } catch (cause) {
      events.failed(cause)
    }
  }
}

function expire(table: LockTable, nowMs: number): readonly Lock[] {
  const { locks } = table.snapshot()
  const expired = locks.filter(({ expiresAtMs = Number.POSITIVE_INFINITY }) => expiresAtMs <= nowMs)
  for (const { id } of expired) table.remove(id)
  return expired
}
