import { existsSync } from 'node:fs'
import { open, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock, type Clock } from '../lib/clock.ts'
import { CorruptLog } from './corrupt-log.ts'
import { lockDirectory, type DirectoryLock } from '../lib/directory-lock.ts'
import { syncDirectory, systemDisk, type LogDisk } from './log-disk.ts'
import { listEpochs, listSegments, type EpochPath } from './read-entries.ts'
import { readSegment, type Damage } from './read-segment.ts'
import { RESERVE_FILE } from './reserve.ts'
import { segmentName } from './segment-file.ts'
import { completeLog, readCheckpoint, type Signing } from './tlog/complete-log.ts'

/** Says that an epoch has been looked through after its process ended. */
export const RECOVERED_FILE = 'recovered'

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

/** What recovery needs of the world; the real disk and clock unless told. */
export interface RecoverySurroundings {
  readonly signing: Signing
  readonly disk?: LogDisk
  readonly clock?: Clock
}

/**
 * Finds the epochs under `auditDirectory` whose process is gone and that nobody has recovered, cuts off torn tails and
 * signs what is left. Epochs of living processes, and those that another process is recovering, are left alone. Throws
 * {@link CorruptLog} when something durable or signed has changed: the gateway must not start over it.
 */
export async function recoverEpochs(
  auditDirectory: string,
  surroundings: RecoverySurroundings,
): Promise<RecoveredEpoch[]> {
  const recovered: RecoveredEpoch[] = []
  try {
    for (const path of await listEpochs(auditDirectory)) {
      if (isRecovered(path)) continue
      const lock = lockDirectory(path.directory)
      if (lock === undefined) continue
      const repaired = await repairUnder(lock, path, surroundings)
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
  await rm(join(path.directory, RESERVE_FILE), { force: true })
  const handle = await open(join(path.directory, RECOVERED_FILE), 'w', 0o600)
  await handle.close()
  await syncDirectory(path.directory)
  lock.release()
}

function isRecovered(path: EpochPath): boolean {
  return existsSync(join(path.directory, RECOVERED_FILE))
}

async function repairUnder(
  lock: DirectoryLock,
  path: EpochPath,
  surroundings: RecoverySurroundings,
): Promise<RecoveredEpoch | undefined> {
  try {
    // Looked at again under the lock: another process may have finished in between.
    if (!isRecovered(path)) return { path, lock, ...(await repair(path, surroundings)) }
  } catch (cause) {
    lock.release()
    throw cause
  }
  lock.release()
  return undefined
}

type Repaired = Pick<RecoveredEpoch, 'sealed' | 'tornBytes' | 'entries'>

async function repair(path: EpochPath, surroundings: RecoverySurroundings): Promise<Repaired> {
  const { signing, disk = systemDisk, clock = systemClock } = surroundings
  const stored = await readCheckpoint(path, signing)
  const { size, tornBytes, sealed, entries } = await repairSegments(path, stored?.size ?? 0)
  await completeLog(path, size, stored, signing, { disk, clock })
  return { sealed, tornBytes, entries }
}

/** Reads back from the last segment as far as calls may be open, and cuts off what death left behind it. */
async function repairSegments(
  { directory }: EpochPath,
  signedEntries: number,
): Promise<Repaired & { readonly size: number }> {
  const files = (await listSegments(directory)).map((number) => join(directory, segmentName(number)))
  const last = files.at(-1)
  let entries: Buffer[] = []
  let size: number | undefined
  let sealed = false
  let torn: Damage | undefined
  for (const file of files.toReversed()) {
    const { header, damage, ...segment } = await readSegment(file)
    if (damage !== undefined && (damage.kind === 'corrupt' || file !== last)) {
      throw new CorruptLog(file, damage.offset, 'durable audit entries have changed')
    }
    torn ??= damage
    if (header !== undefined) size ??= header.firstIndex + segment.entries.length
    // No death did that, and nothing has been cut yet.
    if (size !== undefined && size < signedEntries) {
      throw new CorruptLog(file, damage?.offset ?? segment.sizeBytes, 'entries that were signed are missing')
    }
    sealed ||= segment.sealed
    entries = segment.entries.map(({ bytes }) => bytes).concat(entries)
    // Death right at a rotation leaves a segment without all that it should carry; the one before has it.
    if (header !== undefined && segment.entries.length >= header.carried) break
  }
  if ((size ?? 0) < signedEntries) throw new CorruptLog(directory, 0, 'entries that were signed are missing')
  if (last !== undefined) await cutAndSync(last, torn)
  return { size: size ?? 0, sealed, tornBytes: torn?.lostBytes ?? 0, entries }
}

/** What the dead process did not fsync may be in memory only, and is about to be signed. */
async function cutAndSync(file: string, torn: Damage | undefined): Promise<void> {
  if (torn !== undefined) await truncate(file, torn.offset)
  await using handle = await open(file, 'r+')
  await handle.sync()
}
