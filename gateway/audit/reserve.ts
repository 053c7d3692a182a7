import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { writeWhole, type LogDisk } from './log-disk.ts'

/** Named so that nobody takes it for part of the log. */
export const RESERVE_FILE = 'reserve'
/** Outcomes of two thousand calls in flight, the seal and a checkpoint. */
const RESERVE_BYTES = 1_048_576

/** Room that is kept for the end of an epoch whose disk fills up. */
export interface Reserve {
  /** Gives the room back to the disk; false when that was done before, or cannot be done. */
  release(): Promise<boolean>
}

export async function createReserve(disk: LogDisk, directory: string): Promise<Reserve> {
  const path = join(directory, RESERVE_FILE)
  const file = await disk.create(path)
  try {
    // Not zeros: a file system that compresses would keep no room for them.
    await writeWhole(file, randomBytes(RESERVE_BYTES), 0)
    await file.sync()
  } finally {
    await file.close()
  }
  let kept = true
  return {
    async release() {
      if (!kept) return false
      kept = false
      try {
        await disk.remove(path)
        return true
      } catch {
        return false
      }
    },
  }
}
