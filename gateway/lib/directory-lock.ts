import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export interface DirectoryLock extends Disposable {
  release(): void
}

/**
 * Takes a directory for this process, or returns `undefined` when another one holds it.
 *
 * Node has no `flock`, and a file with a process id in it goes stale: ids are reused, and two containers on one
 * volume both have process 1. SQLite takes the operating system's own lock, which ends with its holder.
 */
export function lockDirectory(directory: string): DirectoryLock | undefined {
  const database = new DatabaseSync(join(directory, 'lock'), { timeout: 0 })
  try {
    database.exec('PRAGMA journal_mode = OFF; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    if (isBusy(cause)) return undefined
    throw cause
  }
  let held = true
  const release = (): void => {
    if (held) database.close()
    held = false
  }
  return { release, [Symbol.dispose]: release }
}

/** SQLITE_BUSY, in the low byte of every extended form of it. */
function isBusy(cause: unknown): boolean {
  return (
    cause instanceof Error &&
    'errcode' in cause &&
    typeof cause.errcode === 'number' &&
    (cause.errcode & 0xff) === 5
  )
}
