import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Raised whenever a table changes in a way that an earlier gateway would misread; it then refuses the file. */
const FILE_VERSION = 1
/** One transaction takes a few milliseconds, most of which is the fsync. */
const BUSY_TIMEOUT_MS = 5_000
const POLL_MS = 100

export interface ControlFileWatcher {
  /** Soon after any process changed anything in the file, this one included. */
  changed(): void
  /** The file was looked at and is what it was: called each time, so that its absence tells. */
  heard?(): void
}

/**
 * The SQLite file that keeps what people decided (locks, approvals), shared by the worker processes of one machine. Every
 * call is synchronous; nothing on the path of a tool call may make one.
 */
export interface ControlFile extends Disposable {
  readonly database: DatabaseSync
  /**
   * Runs `work` while nobody else writes, and keeps all of what it wrote or, when it throws, nothing. When this returns the
   * change is on the disk.
   */
  transact<T>(work: () => T): T
  /** Returns how to stop. */
  watch(watcher: ControlFileWatcher): () => void
}

export interface ControlFileOptions {
  /** Made, for its owner alone, where it is not there. */
  readonly path: string
  /** Told when the file can no longer be read, or is no longer the one that was opened. */
  readonly onFailure: (cause: unknown) => void
}

/** @throws when the file cannot be opened, or was written by a later gateway */
export function openControlFile({ path, onFailure }: ControlFileOptions): ControlFile {
  const database = openDatabase(path)
  const watchers = new Set<ControlFileWatcher>()
  const readVersion = database.prepare('PRAGMA data_version')
  const opened = inodeOf(path)
  let seen = readVersion.get()?.['data_version']
  let failing = false

  const tell = (): void => {
    for (const { changed } of watchers) changed()
  }
  const look = (): void => {
    // SQLite goes on with a file that was removed or replaced: what is set there would be gone at the next start.
    if (inodeOf(path) !== opened) throw new Error(`${path} was removed or replaced while it was in use`)
    const version = readVersion.get()?.['data_version']
    if (version !== seen) {
      seen = version
      tell()
    }
    for (const { heard } of watchers) heard?.()
  }
  const poll = setInterval(() => {
    try {
      look()
      failing = false
    } catch (cause) {
      if (!failing) onFailure(cause)
      failing = true
    }
  }, POLL_MS).unref()

  return {
    database,
    transact: (work) => {
      const answer = inTransaction(database, work)
      // `data_version` tells of other connections only.
      queueMicrotask(tell)
      return answer
    },
    watch: (watcher) => {
      const own = { ...watcher }
      watchers.add(own)
      return () => void watchers.delete(own)
    },
    [Symbol.dispose]: () => {
      clearInterval(poll)
      watchers.clear()
      database.close()
    },
  }
}

function openDatabase(path: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  // Made before SQLite does, which leaves it to the umask who may read; its other files take after this one.
  closeSync(openSync(path, 'a', 0o600))
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
  try {
    // With WAL alone a commit may be lost with the power; FULL syncs each.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    inTransaction(database, () => {
      const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
      if (version > FILE_VERSION) throw new Error(`${path} was written by a later version of the gateway`)
      if (version < FILE_VERSION) database.exec(`PRAGMA user_version = ${FILE_VERSION}`)
    })
    return database
  } catch (cause) {
    database.close()
    throw cause
  }
}

function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const answer = work()
    database.exec('COMMIT')
    return answer
  } catch (cause) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw cause
  }
}

function inodeOf(path: string): bigint {
  return statSync(path, { bigint: true }).ino
}
