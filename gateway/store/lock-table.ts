import { decodeLock, encodeLock, type Lock, type LockId } from '../locks/lock.ts'
import type { ControlFile } from './control-file.ts'
import type { LockSnapshot } from './lock-store.ts'

const SCHEMA = `
CREATE TABLE IF NOT EXISTS locks (id TEXT PRIMARY KEY, lock TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lock_epoch (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), epoch INTEGER NOT NULL);
INSERT OR IGNORE INTO lock_epoch VALUES (1, 0)`

/** The locks in a control file and their epoch, which every change raises. Changes belong in a transaction of the file. */
export class LockTable {
  readonly #statements: ReturnType<typeof prepare>

  constructor(file: ControlFile) {
    file.transact(() => file.database.exec(SCHEMA))
    this.#statements = prepare(file)
  }

  /** `NaN` where the file no longer has one: equal to no epoch that was ever read. */
  epoch(): number {
    return Number(this.#statements.epoch.get()?.['epoch'])
  }

  /** @throws when what the file has cannot be read as locks */
  snapshot(): LockSnapshot {
    // One statement, so that epoch and locks are of the same moment.
    const row = this.#statements.snapshot.get() ?? {}
    const texts = JSON.parse(String(row['locks'])) as readonly string[]
    return { epoch: Number(row['epoch']), locks: texts.map(decodeLock) }
  }

  count(): number {
    return Number(this.#statements.count.get()?.['held'])
  }

  find(id: LockId): Lock | undefined {
    const row = this.#statements.find.get(id)
    return row && decodeLock(String(row['lock']))
  }

  add(lock: Lock): void {
    this.#statements.add.run(lock.id, encodeLock(lock))
    this.#statements.raise.run()
  }

  replace(id: LockId, lock: Lock): void {
    this.#statements.replace.run(encodeLock(lock), id)
    this.#statements.raise.run()
  }

  remove(id: LockId): void {
    this.#statements.remove.run(id)
    this.#statements.raise.run()
  }
}

function prepare({ database }: ControlFile) {
  return {
    snapshot: database.prepare(
      'SELECT epoch, (SELECT json_group_array(lock) FROM locks) AS locks FROM lock_epoch',
    ),
    epoch: database.prepare('SELECT epoch FROM lock_epoch'),
    count: database.prepare('SELECT count(*) AS held FROM locks'),
    find: database.prepare('SELECT lock FROM locks WHERE id = ?'),
    add: database.prepare('INSERT INTO locks VALUES (?, ?)'),
    remove: database.prepare('DELETE FROM locks WHERE id = ?'),
    replace: database.prepare('UPDATE locks SET lock = ? WHERE id = ?'),
    raise: database.prepare('UPDATE lock_epoch SET epoch = epoch + 1'),
  }
}
