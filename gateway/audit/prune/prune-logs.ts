import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { AuditConfig } from '../../config/audit-config.ts'
import { systemClock } from '../../lib/clock.ts'
import { beginEpoch } from '../begin-epoch.ts'
import { isoTime } from '../../lib/iso-time.ts'
import type { PrunedLogFields } from '../entry-fields.ts'
import { decodeEntry, encodeEntry, type AuditEntry } from '../entry.ts'
import { exportBehind } from '../exports/cursors.ts'
import { syncDirectory } from '../log-disk.ts'
import { openSigning } from '../open-signing.ts'
import { FLEET_NODE, listEpochs, listSegments, type EpochPath } from '../read-entries.ts'
import { readSegment } from '../read-segment.ts'
import { RECOVERED_FILE } from '../recover.ts'
import { segmentName } from '../segment-file.ts'
import { readCheckpoint, type Signing } from '../tlog/complete-log.ts'
import { formatVerifierKey } from '../tlog/verifier-key.ts'
import { holdOver, type Hold } from './holds.ts'

/** Whose log says what was pruned; it is never pruned itself. */
const PRUNE_NODE = 'prune'
/** Logs in one entry: with 300 bytes each they stay below its limit. */
const LOGS_PER_ENTRY = 150

export interface PruneOptions {
  readonly config: AuditConfig
  readonly version: string
  /** Only logs whose last entry is older go. */
  readonly beforeMs: number
  readonly holds: readonly Hold[]
}

/** A log that is to go, or has gone. */
interface Prunable {
  readonly path: EpochPath
  readonly fields: PrunedLogFields
}

export interface PrunePlan {
  readonly logs: readonly Prunable[]
  /** What keeps the oldest log that stays, in words. */
  readonly keptBy: string
}

/**
 * Chooses whole logs, oldest end first, up to the first that has to stay: an earlier log is spoken of by later ones
 * (who recovered it, how its calls ended), never the other way round. A log goes only once a later start has it on
 * record that it ended.
 */
export async function planPrune({ config, beforeMs, holds }: PruneOptions): Promise<PrunePlan> {
  const signing = await openSigning(config)
  const logs: (Prunable & Life)[] = []
  let keptBy = ''
  const lives: (Life & { readonly path: EpochPath })[] = []
  for (const path of await listEpochs(config.directory)) {
    if (path.node !== FLEET_NODE && path.node !== PRUNE_NODE) lives.push({ path, ...(await lifeOf(path)) })
  }
  for (const life of lives.toSorted((one, other) => one.endMs - other.endMs)) {
    keptBy = reasonToKeep(life, beforeMs, holds) || (await exportToWaitFor(config, life.path))
    if (keptBy !== '') break
    logs.push({ ...life, fields: await fieldsOf(life.path, signing) })
  }
  return { logs, keptBy }
}

/** Puts on record, signed and durable, which logs go, and only then removes them. */
export async function pruneLogs({ config, version }: PruneOptions, { logs }: PrunePlan): Promise<void> {
  if (logs.length === 0) return
  await recordPrune(config, version, logs)
  for (const { path } of logs) {
    const node = dirname(path.directory)
    const leaving = join(node, `.${path.epoch}`)
    await rename(path.directory, leaving)
    await syncDirectory(node)
    await rm(leaving, { recursive: true })
  }
  // Its positions are in logs that are gone. It is made anew from the others.
  for (const suffix of ['', '-wal', '-shm']) {
    await rm(join(config.directory, `index.sqlite${suffix}`), { force: true })
  }
}

interface Life {
  readonly beganMs: number
  readonly endMs: number
  readonly hasEnded: boolean
}

async function lifeOf(path: EpochPath): Promise<Life> {
  const numbers = await listSegments(path.directory)
  const timeAt = async (number: number | undefined, which: 0 | -1): Promise<number> => {
    if (number === undefined) return Number.NaN
    const { entries } = await readSegment(join(path.directory, segmentName(number)))
    const bytes = entries.at(which)?.bytes
    const entry = bytes && decodeEntry(bytes)
    return entry === undefined ? Number.NaN : Date.parse(entry.time)
  }
  return {
    beganMs: await timeAt(numbers[0], 0),
    endMs: await timeAt(numbers.at(-1), -1),
    hasEnded: existsSync(join(path.directory, RECOVERED_FILE)),
  }
}

function reasonToKeep(
  { path, beganMs, endMs, hasEnded }: Life & { readonly path: EpochPath },
  beforeMs: number,
  holds: readonly Hold[],
): string {
  const place = `${path.node}/${path.epoch}`
  if (!hasEnded) return `${place} has not ended, or no later start has it on record`
  if (Number.isNaN(beganMs) || Number.isNaN(endMs)) return `${place} cannot be read`
  const hold = holdOver(holds, beganMs, endMs)
  if (hold !== undefined) return `${place} is held by ${hold.name}`
  return endMs >= beforeMs ? `${place} is not old enough` : ''
}

async function exportToWaitFor({ directory, exports }: AuditConfig, path: EpochPath): Promise<string> {
  const name = await exportBehind(directory, Object.keys(exports), path)
  return name === undefined ? '' : `${path.node}/${path.epoch} has not all been exported to ${name}`
}

async function fieldsOf(path: EpochPath, signing: Signing): Promise<PrunedLogFields> {
  const checkpoint = await readCheckpoint(path, signing)
  return {
    epoch: path.epoch,
    node: path.node,
    root: checkpoint?.root.toString('base64') ?? '',
    size: checkpoint?.size ?? 0,
  }
}

async function recordPrune(config: AuditConfig, version: string, logs: readonly Prunable[]): Promise<void> {
  const signing = await openSigning(config)
  const log = await beginEpoch({ config, node: PRUNE_NODE, signing })
  try {
    const time = isoTime(systemClock.nowMs())
    const key = formatVerifierKey(signing.signer.key)
    const append = (entry: AuditEntry): Promise<unknown> => log.append(encodeEntry(entry), 'strict')
    await append({ epoch: log.epoch, gateway: version, key, node: PRUNE_NODE, time, type: 'start', v: 1 })
    for (let first = 0; first < logs.length; first += LOGS_PER_ENTRY) {
      const part = logs.slice(first, first + LOGS_PER_ENTRY).map(({ fields }) => fields)
      await append({ logs: part, time, type: 'prune', v: 1 })
    }
    await append({ open_calls: 0, time, type: 'stop', v: 1 })
  } finally {
    await log.seal()
  }
  if (log.health().state !== 'sealed')
    throw new Error('what is pruned could not be put on record; nothing was')
}
