import { randomBytes } from 'node:crypto'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuditConfig } from '../config/config.ts'
import { systemClock, type Clock } from '../lib/clock.ts'
import type { AuditLog, Durability } from './audit-log.ts'
import { timeField } from './call-fields.ts'
import { Changes } from './changes.ts'
import { encodeEntry } from './entry.ts'
import { lockDirectory, type DirectoryLock } from '../lib/directory-lock.ts'
import { findInDoubt, type InDoubt } from './in-doubt.ts'
import { createKeyedTokens, openTokenKey } from './keyed-tokens.ts'
import { syncDirectory, type LogDisk } from './log-disk.ts'
import { openEntries, Recorder } from './recorder.ts'
import { finishRecovery, recoverEpochs, type RecoveredEpoch } from './recover.ts'
import { WriteAheadLog } from './write-ahead-log.ts'

export interface OpenAuditOptions {
  readonly config: AuditConfig
  /** Name of this process within the deployment, such as `worker-1`; a directory name. */
  readonly node: string
  /** Version of the gateway, for the `start` entry. */
  readonly version: string
  readonly clock?: Clock
  readonly disk?: LogDisk
  readonly onAppend?: (durability: Durability, durationMs: number) => void
  readonly onSync?: (durationMs: number) => void
  readonly onFailure?: (cause: unknown) => void
  /** Told when a change of configuration or policy could not be put on record. */
  readonly onLost?: (cause: unknown) => void
}

/** What the start found of one epoch whose process ended. */
export interface Recovery {
  readonly node: string
  readonly epoch: string
  readonly sealed: boolean
  readonly tornBytes: number
  readonly inDoubtCalls: readonly string[]
}

export interface Audit extends AsyncDisposable {
  readonly log: AuditLog
  readonly recorder: Recorder
  readonly changes: Changes
  readonly recoveries: readonly Recovery[]
}

/**
 * Opens the audit log of this process life: recovers what earlier ones left, begins an epoch of its own and puts on
 * record what was found. Throws `CorruptLog` when durable entries have changed, and whatever the disk says.
 */
export async function openAudit(options: OpenAuditOptions): Promise<Audit> {
  const { config, node } = options
  const clock = options.clock ?? systemClock
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(node)) throw new RangeError(`not a node name: ${node}`)
  await mkdir(join(config.directory, node), { recursive: true, mode: 0o700 })
  const tokens = createKeyedTokens(await openTokenKey(config.directory))
  const epochs = await recoverEpochs(config.directory)
  const openCalls = new Set<string>()
  const { log, inDoubt } = await begin(options, clock, openCalls, epochs)
  const recorder = new Recorder({
    log,
    tokens,
    clock,
    durability: config.durability,
    openCalls,
    ...(options.onAppend && { onAppend: options.onAppend }),
  })
  const changes = new Changes({ log, clock, onLost: (cause) => options.onLost?.(cause) })
  return {
    log,
    recorder,
    changes,
    recoveries: inDoubt.map(toRecovery),
    async [Symbol.asyncDispose]() {
      await changes.stopped(openCalls.size)
      await log.seal()
    },
  }
}

async function begin(
  options: OpenAuditOptions,
  clock: Clock,
  openCalls: Set<string>,
  epochs: readonly RecoveredEpoch[],
): Promise<{ log: AuditLog; inDoubt: readonly InDoubt[] }> {
  try {
    const inDoubt = findInDoubt(epochs)
    const log = await beginEpoch(options, clock, openCalls)
    await recordStart(log, options, inDoubt, clock)
    for (const epoch of epochs) await finishRecovery(epoch)
    return { log, inDoubt }
  } finally {
    // Whatever happened: held longer, an epoch would look like that of a living process to the next start.
    for (const { lock } of epochs) lock.release()
  }
}

async function beginEpoch(
  options: OpenAuditOptions,
  clock: Clock,
  openCalls: Set<string>,
): Promise<AuditLog> {
  const { config, node, disk, onSync, onFailure } = options
  // Sorts by time, and no two processes of one millisecond meet.
  const began = timeField(clock.nowMs()).replaceAll(/[-:.]/g, '')
  const epoch = `${began}-${randomBytes(4).toString('hex')}`
  const { directory, lock } = await createEpochDirectory(join(config.directory, node), epoch)
  return WriteAheadLog.open({
    directory,
    epoch,
    lock,
    segmentLimitBytes: config.segmentLimitBytes,
    clock,
    carry: () => openEntries(openCalls, clock.nowMs()),
    ...(disk && { disk }),
    ...(onSync && { onSync }),
    ...(onFailure && { onFailure }),
  })
}

/** The directory is locked before it has its name, or a process that starts now would recover it as abandoned. */
async function createEpochDirectory(
  nodeDirectory: string,
  epoch: string,
): Promise<{ directory: string; lock: DirectoryLock }> {
  const draft = join(nodeDirectory, `.${epoch}`)
  const directory = join(nodeDirectory, epoch)
  await mkdir(draft, { mode: 0o700 })
  const lock = lockDirectory(draft)
  if (lock === undefined) throw new Error(`another process holds ${draft}`)
  await rename(draft, directory)
  await syncDirectory(nodeDirectory)
  return { directory, lock }
}

/** Durable before the old epochs are let go: a start that dies here leaves them to the next one. */
async function recordStart(
  log: AuditLog,
  { node, version }: OpenAuditOptions,
  inDoubt: readonly InDoubt[],
  clock: Clock,
): Promise<void> {
  const time = timeField(clock.nowMs())
  const appends = [
    log.append(
      encodeEntry({ epoch: log.epoch, gateway: version, node, time, type: 'start', v: 1 }),
      'strict',
    ),
  ]
  for (const { epoch: recovered, calls } of inDoubt) {
    const { path, sealed, tornBytes } = recovered
    const recovery = {
      epoch: path.epoch,
      in_doubt: calls.length,
      node: path.node,
      sealed,
      time,
      torn_bytes: tornBytes,
      type: 'recovery',
      v: 1,
    } as const
    appends.push(log.append(encodeEntry(recovery), 'strict'))
    for (const call of calls) {
      const outcome = { call, epoch: path.epoch, outcome: 'unknown', status: 0, time } as const
      appends.push(log.append(encodeEntry({ ...outcome, type: 'outcome', v: 1 }), 'strict'))
    }
  }
  await Promise.all(appends)
}

function toRecovery({ epoch, calls }: { epoch: RecoveredEpoch; calls: readonly string[] }): Recovery {
  const { path, sealed, tornBytes } = epoch
  return { node: path.node, epoch: path.epoch, sealed, tornBytes, inDoubtCalls: calls }
}
