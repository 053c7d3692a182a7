import { existsSync } from 'node:fs'
import { readdir, rm, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { lockDirectory } from '../../lib/directory-lock.ts'
import { readBlockHeader } from '../disclosures/block.ts'
import { KEYS_FOLDER } from '../disclosures/disclosure-keys.ts'
import { syncDirectory } from '../log-disk.ts'
import { listEpochs, listSegments, type EpochPath } from '../read-entries.ts'
import { readFrames } from '../read-frames.ts'
import { segmentName } from '../segment-file.ts'
import { holdOver, type Hold } from './holds.ts'

const DAY_MS = 86_400_000

export interface DisclosuresToPrune {
  /** Days whose keys go: what was encrypted under them is forgotten, wherever copies of it are. */
  readonly days: readonly string[]
  /** Files that hold nothing but what is forgotten then. */
  readonly epochs: readonly EpochPath[]
}

/** Chooses the days that ended before `beforeMs` and that no hold covers. Reads only. */
export async function planDisclosures(
  directory: string,
  beforeMs: number,
  holds: readonly Hold[],
): Promise<DisclosuresToPrune> {
  if (!existsSync(directory)) return { days: [], epochs: [] }
  const names = existsSync(join(directory, KEYS_FOLDER)) ? await readdir(join(directory, KEYS_FOLDER)) : []
  const all = names.flatMap((name) => /^period-(\d{4}-\d\d-\d\d)\.key$/.exec(name)?.[1] ?? []).sort()
  const days = all.filter((day) => {
    const startMs = Date.parse(day)
    return startMs + DAY_MS <= beforeMs && holdOver(holds, startMs, startMs + DAY_MS) === undefined
  })
  const remaining = new Set(all.filter((day) => !days.includes(day)))
  const epochs: EpochPath[] = []
  for (const path of await listEpochs(directory)) {
    if (days.length > 0 && (await holdsOnly(path, remaining))) epochs.push(path)
  }
  return { days, epochs }
}

/** The keys first: with them gone the rest is only disk space. */
export async function pruneDisclosures(
  directory: string,
  { days, epochs }: DisclosuresToPrune,
): Promise<void> {
  const keys = join(directory, KEYS_FOLDER)
  for (const day of days) await unlink(join(keys, `period-${day}.key`))
  if (days.length > 0) await syncDirectory(keys)
  for (const path of epochs) {
    // A living process goes on writing to its own.
    using lock = lockDirectory(path.directory)
    if (lock !== undefined) await rm(path.directory, { recursive: true })
  }
}

/** Whether no block of the epoch can be read with a key that remains. */
async function holdsOnly(path: EpochPath, remaining: ReadonlySet<string>): Promise<boolean> {
  let readable = false
  for (const number of await listSegments(path.directory)) {
    readFrames(join(path.directory, segmentName(number)), 0, ({ control, payload }) => {
      const header = control ? undefined : readBlockHeader(payload)
      if (header !== undefined && remaining.has(header.key.period)) readable = true
    })
    if (readable) return false
  }
  return true
}
