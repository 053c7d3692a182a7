import { existsSync } from 'node:fs'
import { open, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { CorruptLog } from './corrupt-log.ts'
import { lockDirectory, type DirectoryLock } from '../lib/directory-lock.ts'
import { syncDirectory } from './log-disk.ts'
import { listEpochs, listSegments, type EpochPath } from './read-entries.ts'
import { readSegment } from './read-segment.ts'
import { segmentName } from './segment-file.ts'

/** Says that an epoch has been looked through after its process ended. */
const RECOVERED_FILE = 'recovered'

/** An epoch whose process is gone, repaired and held until {@link finishRecovery}. */
export interface RecoveredEpoch {
  readonly path: EpochPath
  /** Whether its process sealed it before it ended. */
  readonly sealed: boolean
  /** Bytes of a write that death cut off, now removed. */
  readonly tornBytes: number
  /** Entries of its last segment; what each segment carries over from the one before makes this enough. */
  readonly entries: readonly Buffer[]
  readonly lock: DirectoryLock
}

/**
 * Finds the epochs under `auditDirectory` whose process is gone and that nobody has recovered, and cuts off torn
 * tails. Epochs of living processes, and those that another process is recovering, are left alone. Throws
 * {@link CorruptLog} when something durable has changed: the gateway must not start over it.
 */
export async function recoverEpochs(auditDirectory: string): Promise<RecoveredEpoch[]> {
  const recovered: RecoveredEpoch[] = []
  try {
    for (const path of await listEpochs(auditDirectory)) {
      if (isRecovered(path)) continue
      const lock = lockDirectory(path.directory)
      if (lock === undefined) continue
      const repaired = await repairUnder(lock, path)
      if (repaired !== undefined) recovered.push(repaired)
    }
  } catch (cause) {
    for (const { lock } of recovered) lock.release()
    throw cause
  }
  return recovered
}

/** Marks the epoch as done, durably, and lets go of it. */
export async function finishRecovery({ path, lock }: RecoveredEpoch): Promise<void> {
  const handle = await open(join(path.directory, RECOVERED_FILE), 'w', 0o600)
  await handle.close()
  await syncDirectory(path.directory)
  lock.release()
}

function isRecovered(path: EpochPath): boolean {
  return existsSync(join(path.directory, RECOVERED_FILE))
}

async function repairUnder(lock: DirectoryLock, path: EpochPath): Promise<RecoveredEpoch | undefined> {
  try {
    // Looked at again under the lock: another process may have finished in between.
    if (!isRecovered(path)) return { path, lock, ...(await repair(path.directory)) }
  } catch (cause) {
    lock.release()
    throw cause
  }
  lock.release()
  return undefined
}

async function repair(directory: string): Promise<Pick<RecoveredEpoch, 'sealed' | 'tornBytes' | 'entries'>> {
  const files = (await listSegments(directory)).map((number) => join(directory, segmentName(number)))
  let entries: Buffer[] = []
  let sealed = false
  let tornBytes = 0
  for (const file of files.toReversed()) {
    const segment = await readSegment(file)
    if (segment.damage !== undefined) {
      if (file !== files.at(-1) || segment.damage.kind === 'corrupt') {
        throw new CorruptLog(file, segment.damage.offset, 'durable audit entries have changed')
      }
      await cut(file, segment.damage.offset)
      tornBytes = segment.damage.lostBytes
    }
    sealed ||= segment.sealed
    entries = segment.entries.map(({ bytes }) => bytes).concat(entries)
    // Death right at a rotation leaves a segment without all that it should carry; the one before has it.
    if (segment.header !== undefined && segment.entries.length >= segment.header.carried) break
  }
  return { sealed, tornBytes, entries }
}

async function cut(file: string, keptBytes: number): Promise<void> {
  await truncate(file, keptBytes)
  await using handle = await open(file, 'r+')
  await handle.sync()
}
