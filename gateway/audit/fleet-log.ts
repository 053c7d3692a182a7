import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuditConfig } from '../config/audit-config.ts'
import { systemClock, type Clock } from '../lib/clock.ts'
import { beginEpoch } from './begin-epoch.ts'
import { isoTime } from '../lib/iso-time.ts'
import { encodeEntry, type AuditEntry } from './entry.ts'
import { hasCode, systemDisk, type LogDisk } from './log-disk.ts'
import { openSigning, signingKeyEntry } from './open-signing.ts'
import { FLEET_NODE, listEpochs, type EpochPath } from './read-entries.ts'
import { CHECKPOINT_FILE, parseCheckpoint, type SignedCheckpoint } from './tlog/checkpoint.ts'
import type { Signing } from './tlog/complete-log.ts'
import { isSignedBy } from './tlog/note.ts'
import { listKeys } from './tlog/signing-key.ts'
import type { TransparencyLog } from './tlog/transparency-log.ts'
import { formatVerifierKey } from './tlog/verifier-key.ts'
import { Witnessing, type WitnessOutcome } from './witness/witnessing.ts'

/** `missing`: a log is gone · `rolled_back`: it has less than before, or something else · `unsigned`: by no key of ours. */
export const FLEET_ALARMS = ['missing', 'rolled_back', 'unsigned'] as const
export type FleetAlarm = (typeof FLEET_ALARMS)[number]

export interface FleetLogOptions {
  readonly config: AuditConfig
  /** Version of the gateway, for the `start` entry. */
  readonly version: string
  readonly clock?: Clock
  readonly disk?: LogDisk
  readonly onAlarm?: (alarm: FleetAlarm, log: Pick<EpochPath, 'node' | 'epoch'>) => void
  readonly onFailure?: (cause: unknown) => void
  /** Told how each witness answered, where there are any. */
  readonly onWitness?: (witness: string, outcome: WitnessOutcome, cause?: unknown) => void
}

interface Seen {
  readonly checkpoint: SignedCheckpoint | undefined
  /** Tells one writing of the file from the next. */
  readonly mark: string
}

/**
 * One log over all logs of an audit directory: every checkpoint that one of them publishes becomes an entry here. A log
 * that vanishes, or is put back to an earlier state, is then missed by one that was not.
 */
export class FleetLog implements AsyncDisposable {
  readonly #options: FleetLogOptions
  readonly #clock: Clock
  readonly #log: TransparencyLog
  readonly #signing: Signing
  readonly #witnessing: Witnessing | undefined
  readonly #seen = new Map<string, Seen>()
  readonly #alarmed = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #collecting: Promise<void> = Promise.resolve()

  /** Begins the fleet log of this process life; looks at nothing yet. */
  static async open(options: FleetLogOptions): Promise<FleetLog> {
    const { config, version, clock = systemClock, disk, onFailure } = options
    const signing = await openSigning(config)
    let witnessing: Witnessing | undefined
    const log = await beginEpoch({
      config,
      node: FLEET_NODE,
      signing,
      clock,
      onPublished: (checkpoint, note) => witnessing?.offer(checkpoint, note),
      ...(disk && { disk }),
      ...(onFailure && { onFailure }),
    })
    // Its checkpoints commit to those of every other log: to witness it is to witness them all.
    witnessing = openWitnessing(options, log.epoch, clock)
    const fleet = new FleetLog(options, clock, signing, log, witnessing)
    const key = formatVerifierKey(signing.signer.key)
    const time = isoTime(clock.nowMs())
    await fleet.#append({
      epoch: log.epoch,
      gateway: version,
      key,
      node: FLEET_NODE,
      time,
      type: 'start',
      v: 1,
    })
    const change = await signingKeyEntry(signing, config, time)
    if (change !== undefined) await fleet.#append(change)
    return fleet
  }

  private constructor(
    options: FleetLogOptions,
    clock: Clock,
    signing: Signing,
    log: TransparencyLog,
    witnessing: Witnessing | undefined,
  ) {
    this.#options = options
    this.#witnessing = witnessing
    this.#clock = clock
    this.#signing = signing
    this.#log = log
  }

  /** Takes every checkpoint there is, and from then on every new one. */
  async watch(): Promise<void> {
    await this.collect('all')
    const { checkpointIntervalMs } = this.#options.config
    this.#timer ??= setInterval(() => void this.collect('others'), checkpointIntervalMs).unref()
  }

  get healthy(): boolean {
    return this.#log.health().state === 'open'
  }

  /** Wall clock of the last checkpoint that a quorum of witnesses cosigned; `undefined` when there are none to ask. */
  get quorumAtMs(): number | undefined {
    return this.#witnessing?.quorumAtMs
  }

  /** Whether the witnesses have had time enough and too few have cosigned. */
  get lacksQuorum(): boolean {
    const { quorumAtMs } = this
    return quorumAtMs !== undefined && this.#clock.nowMs() - quorumAtMs > this.#quorumLimitMs()
  }

  /** How many logs it knows. */
  get logs(): number {
    return this.#seen.size
  }

  /**
   * Looks at the logs once; never rejects. Other fleet logs are among `all` only: two that looked at each other for
   * as long as they run would each grow by what the other one grows.
   */
  collect(which: 'all' | 'others'): Promise<void> {
    this.#collecting = this.#collecting.then(() => this.#collect(which)).catch(this.#options.onFailure)
    return this.#collecting
  }

  /** Publishes what it has taken by now; otherwise that comes with its time. */
  publish(): Promise<void> {
    return this.#log.publish()
  }

  /** Looks a last time, when the others have sealed their logs. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.collect('all')
    const stop = { open_calls: 0, time: isoTime(this.#clock.nowMs()), type: 'stop', v: 1 } as const
    await this.#append(stop).catch(() => undefined)
    await this.#log.seal()
    await this.#witnessing?.[Symbol.asyncDispose]()
  }

  /** An idle log is offered again after the idle interval; a minute more is what a witness is left alone at most. */
  #quorumLimitMs(): number {
    return this.#options.config.idleCheckpointIntervalMs + 60_000
  }

  async #collect(which: 'all' | 'others'): Promise<void> {
    if (!this.healthy) return
    const present = new Set<string>()
    for (const path of await listEpochs(this.#options.config.directory)) {
      const place = `${path.node}/${path.epoch}`
      present.add(place)
      if (path.epoch === this.#log.epoch || (path.node === FLEET_NODE && which === 'others')) continue
      await this.#look(path, place)
    }
    for (const place of this.#seen.keys()) if (!present.has(place)) this.#alarm('missing', place)
  }

  async #look(path: EpochPath, place: string): Promise<void> {
    const file = join(path.directory, CHECKPOINT_FILE)
    const before = this.#seen.get(place)
    const mark = await markOf(file)
    if (mark === before?.mark) return
    if (mark === undefined) {
      if (before !== undefined) this.#alarm('missing', place)
      return
    }
    const text = await readFile(file, 'utf8')
    const checkpoint = parseCheckpoint(text)
    this.#seen.set(place, { checkpoint, mark })
    if (checkpoint === undefined || !(await this.#isOurs(checkpoint))) return this.#alarm('unsigned', place)
    if (before?.checkpoint !== undefined && isRolledBack(before.checkpoint, checkpoint))
      this.#alarm('rolled_back', place)
    await this.#append({ note: text, time: isoTime(this.#clock.nowMs()), type: 'checkpoint', v: 1 })
  }

  /** Keys are looked up anew: a gateway that starts beside this one may have another. */
  async #isOurs({ note }: SignedCheckpoint): Promise<boolean> {
    if (isSignedBy(note, this.#signing.keys)) return true
    return isSignedBy(note, await listKeys(this.#options.config.directory))
  }

  #alarm(alarm: FleetAlarm, place: string): void {
    const name = `${alarm} ${place}`
    if (this.#alarmed.has(name)) return
    this.#alarmed.add(name)
    const [node = '', epoch = ''] = place.split('/')
    this.#options.onAlarm?.(alarm, { node, epoch })
  }

  async #append(entry: AuditEntry): Promise<void> {
    await this.#log.append(encodeEntry(entry), 'flushed')
  }
}

function openWitnessing(
  { config, disk = systemDisk, onWitness }: FleetLogOptions,
  epoch: string,
  clock: Clock,
): Witnessing | undefined {
  if (config.witnesses === undefined) return undefined
  return new Witnessing({
    config: config.witnesses,
    directory: join(config.directory, FLEET_NODE, epoch),
    disk,
    clock,
    onAnswer: (witness, outcome, cause) => onWitness?.(witness, outcome, cause),
  })
}

function isRolledBack(before: SignedCheckpoint, now: SignedCheckpoint): boolean {
  return now.size < before.size || (now.size === before.size && !now.root.equals(before.root))
}

async function markOf(file: string): Promise<string | undefined> {
  try {
    const { ino, mtimeMs } = await stat(file)
    return `${String(ino)} ${String(mtimeMs)}`
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return undefined
    throw cause
  }
}
