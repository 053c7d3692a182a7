import type { Clock } from '../lib/clock.ts'
import { decodeLock, encodeLock, type Lock, type LockId } from '../locks/lock.ts'
import type { ControlFile } from './control-file.ts'
import { type LockFollower, type LockStore, type LockStoreEvents, MOST_LOCKS } from './lock-store.ts'

export interface EmbeddedLockStoreOptions {
  readonly file: ControlFile
  readonly follower: LockFollower
  readonly events: Pick<LockStoreEvents, 'failed'>
  readonly clock: Pick<Clock, 'nowMs'>
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS locks (id TEXT PRIMARY KEY, lock TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lock_epoch (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), epoch INTEGER NOT NULL);
INSERT OR IGNORE INTO lock_epoch VALUES (1, 0)`

/** Locks of one machine in its control file, for all of its workers. The file outlives them, and is not theirs to close. */
export function createEmbeddedLockStore({
  file,
  follower,
  events,
  clock,
}: EmbeddedLockStoreOptions): LockStore {
  file.transact(() => file.database.exec(SCHEMA))
  const statements = prepare(file)
  let epoch = -1

  const take = (): void => {
    // One statement, so that epoch and locks are of the same moment.
    const row = statements.snapshot.get() ?? {}
    const texts = JSON.parse(String(row['locks'])) as readonly string[]
    const locks = texts.map(decodeLock)
    epoch = Number(row['epoch'])
    follower.changed({ epoch, locks })
  }
  /** Nothing is heard while the newest change cannot be read: what this process acts upon is not what is in force. */
  const look = (): void => {
    try {
      if (statements.epoch.get()?.['epoch'] !== epoch) take()
      follower.heard()
    } catch (cause) {
      events.failed(cause)
    }
  }
  const change = <T>(work: () => T): T => {
    const answer = file.transact(work)
    look()
    return answer
  }
  const kept = (id: string): Lock | undefined => {
    const row = statements.find.get(id)
    return row && decodeLock(String(row['lock']))
  }
  const end = (id: string): void => {
    statements.remove.run(id)
    statements.raise.run()
  }

  const stop = file.watch({ changed: look, heard: look })
  look()
  return {
    add: async (lock) =>
      change(() => {
        if (Number(statements.count.get()?.['held']) >= MOST_LOCKS) return { kind: 'full' } as const
        statements.add.run(lock.id, encodeLock(lock))
        statements.raise.run()
        return { kind: 'added', shared: true, witnessed: true } as const
      }),
    remove: async (id: LockId) =>
      change(() => {
        const lock = kept(id)
        if (lock !== undefined) end(id)
        return lock
      }),
    change: async (id, next) =>
      change(() => {
        const lock = kept(id)
        if (lock === undefined) return undefined
        const changed = next(lock)
        if (changed === lock) return lock
        statements.replace.run(encodeLock(changed), id)
        statements.raise.run()
        return changed
      }),
    expire: async () =>
      change(() => {
        const nowMs = clock.nowMs()
        const over = statements.all.all().map((row) => decodeLock(String(row['lock'])))
        const expired = over.filter(({ expiresAtMs = Number.POSITIVE_INFINITY }) => expiresAtMs <= nowMs)
        for (const { id } of expired) end(id)
        return expired
      }),
    refresh: async () => look(),
    [Symbol.asyncDispose]: async () => stop(),
  }
}

function prepare({ database }: ControlFile) {
  return {
    snapshot: database.prepare(
      'SELECT epoch, (SELECT json_group_array(lock) FROM locks) AS locks FROM lock_epoch',
    ),
    epoch: database.prepare('SELECT epoch FROM lock_epoch'),
    count: database.prepare('SELECT count(*) AS held FROM locks'),
    all: database.prepare('SELECT lock FROM locks'),
    find: database.prepare('SELECT lock FROM locks WHERE id = ?'),
    add: database.prepare('INSERT INTO locks VALUES (?, ?)'),
    remove: database.prepare('DELETE FROM locks WHERE id = ?'),
    replace: database.prepare('UPDATE locks SET lock = ? WHERE id = ?'),
    raise: database.prepare('UPDATE lock_epoch SET epoch = epoch + 1'),
  }
}
