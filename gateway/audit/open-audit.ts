import type { AuditConfig } from '../config/audit-config.ts'
import { systemClock, type Clock } from '../lib/clock.ts'
import type { AuditLog, Durability } from './audit-log.ts'
import { beginEpoch } from './begin-epoch.ts'
import { isoTime } from '../lib/iso-time.ts'
import { Changes } from './changes.ts'
import type { DisclosureLog } from './disclosures/disclosure-log.ts'
import { openDisclosures } from './disclosures/open-disclosures.ts'
import { encodeEntry } from './entry.ts'
import { findInDoubt, type InDoubt } from './in-doubt.ts'
import type { KeyedTokens } from './keyed-tokens.ts'
import type { LogDisk } from './log-disk.ts'
import { openSigning, signingKeyEntry, type OpenedSigning } from './open-signing.ts'
import { openEntries, Recorder } from './recorder.ts'
import { finishRecovery, recoverEpochs, type RecoveredEpoch } from './recover.ts'
import type { Checkpoint } from './tlog/checkpoint.ts'
import type { TransparencyLog, TreeState } from './tlog/transparency-log.ts'
import { formatVerifierKey } from './tlog/verifier-key.ts'
import { openTokenKeys } from './token-keys.ts'

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
  readonly onPublished?: (checkpoint: Checkpoint) => void
  readonly onPublishFailed?: (cause: unknown) => void
  /** Told how many calls have commitments on record whose disclosures could not be kept. */
  readonly onDisclosuresLost?: (calls: number, cause: unknown) => void
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
  /** Of the key that is in use now. */
  readonly tokens: KeyedTokens
  readonly recoveries: readonly Recovery[]
  /** What the log has committed to by now. */
  tree(): TreeState
  /** Publishes what is on record now; otherwise that comes with its time. */
  publish(): Promise<void>
}

/**
 * Opens the audit log of this process life: recovers what earlier ones left, begins an epoch of its own and puts on
 * record what was found. Throws `CorruptLog` when durable entries have changed, and whatever the disk says.
 */
export async function openAudit(options: OpenAuditOptions): Promise<Audit> {
  const { config, node } = options
  const clock = options.clock ?? systemClock
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(node)) throw new RangeError(`not a node name: ${node}`)
  const signing = await openSigning(config)
  const epochs = await recoverEpochs(config.directory, {
    signing,
    clock,
    ...(options.disk && { disk: options.disk }),
  })
  const openCalls = new Set<string>()
  const { log, inDoubt } = await begin(options, signing, clock, openCalls, epochs)
  const onLost = (cause: unknown): void => options.onLost?.(cause)
  const changes = new Changes({ log, clock, onLost })
  await using stack = new AsyncDisposableStack()
  stack.defer(() => log.seal())
  const tokens = await openTokenKeys({
    directory: config.directory,
    clock,
    onRotated: (id, before) => changes.tokenKeyChanged(id, before),
    onFault: onLost,
  })
  const disclosures = await openStore(options, log.epoch, clock)
  if (disclosures !== undefined) stack.use(disclosures)
  stack.defer(() => changes.stopped(openCalls.size))
  const recorder = new Recorder({
    log,
    tokens,
    clock,
    durability: config.durability,
    openCalls,
    ...(disclosures && { disclosures }),
    ...(options.onAppend && { onAppend: options.onAppend }),
  })
  const owned = stack.move()
  return {
    log,
    recorder,
    changes,
    tokens,
    recoveries: inDoubt.map(toRecovery),
    tree: () => log.tree(),
    publish: () => log.publish(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function openStore(
  { config, node, onDisclosuresLost }: OpenAuditOptions,
  epoch: string,
  clock: Clock,
): Promise<DisclosureLog | undefined> {
  const { disclosures, segmentLimitBytes } = config
  if (!disclosures.enabled) return Promise.resolve(undefined)
  const onLost = (calls: number, cause: unknown): void => onDisclosuresLost?.(calls, cause)
  return openDisclosures({ config: disclosures, node, epoch, segmentLimitBytes, clock, onLost })
}

async function begin(
  options: OpenAuditOptions,
  signing: OpenedSigning,
  clock: Clock,
  openCalls: Set<string>,
  epochs: readonly RecoveredEpoch[],
): Promise<{ log: TransparencyLog; inDoubt: readonly InDoubt[] }> {
  try {
    const inDoubt = findInDoubt(epochs)
    const carry = (): Buffer[] => openEntries(openCalls, clock.nowMs())
    const log = await beginEpoch({ ...options, signing, clock, carry })
    try {
      await recordStart(log, options, signing, inDoubt, clock)
      for (const epoch of epochs) await finishRecovery(epoch)
    } catch (cause) {
      await log.seal()
      throw cause
    }
    return { log, inDoubt }
  } finally {
    // Whatever happened: held longer, an epoch would look like that of a living process to the next start.
    for (const { lock } of epochs) lock.release()
  }
}

/** Durable before the old epochs are let go: a start that dies here leaves them to the next one. */
async function recordStart(
  log: AuditLog,
  { config, node, version }: OpenAuditOptions,
  signing: OpenedSigning,
  inDoubt: readonly InDoubt[],
  clock: Clock,
): Promise<void> {
  const time = isoTime(clock.nowMs())
  const key = formatVerifierKey(signing.signer.key)
  const change = await signingKeyEntry(signing, config, time)
  const start = { epoch: log.epoch, gateway: version, key, node, time, type: 'start', v: 1 } as const
  const appends = [log.append(encodeEntry(start), 'strict')]
  if (change !== undefined) appends.push(log.append(encodeEntry(change), 'strict'))
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
