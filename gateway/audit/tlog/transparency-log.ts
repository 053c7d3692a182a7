import { systemClock, type Clock } from '../../lib/clock.ts'
import type { AuditLog, AuditLogHealth, Durability, Position } from '../audit-log.ts'
import type { DirectoryLock } from '../../lib/directory-lock.ts'
import { systemDisk } from '../log-disk.ts'
import { createReserve, type Reserve } from '../reserve.ts'
import { WriteAheadLog } from '../write-ahead-log.ts'
import type { WriteAheadLogOptions } from '../write-ahead-options.ts'
import type { Checkpoint } from './checkpoint.ts'
import { Integrator } from './integrator.ts'
import { Publisher, PublishDelayed } from './publisher.ts'
import type { Signer } from './signer.ts'

/** Full tiles that may wait for the disk: more, and it will never keep up. */
const WAITING_LIMIT_BYTES = 268_435_456

export interface TransparencyLogOptions extends Omit<WriteAheadLogOptions, 'makeRoom' | 'onWritten'> {
  readonly lock: DirectoryLock
  readonly origin: string
  readonly signer: Signer
  readonly checkpoints: CheckpointTimes
  readonly onPublished?: (checkpoint: Checkpoint, note: string) => void
  readonly onPublishFailed?: (cause: unknown) => void
}

export interface CheckpointTimes {
  /** How soon new entries are covered by a checkpoint. */
  readonly intervalMs: number
  /** How often the checkpoint is written anew when there are none, so that silence can be told from idleness. */
  readonly idleIntervalMs: number
}

/** What a log has committed to so far. */
export interface TreeState {
  readonly origin: string
  readonly size: number
  /** Wall clock of the newest checkpoint; 0 before the first. */
  readonly publishedAtMs: number
}

/**
 * The write-ahead log of one epoch with the Merkle tree of its entries beside it. Entries are hashed while their fsync
 * runs and nobody waits for the tree; it is published from what is durable, and can be made again from that.
 */
export class TransparencyLog implements AuditLog {
  readonly #options: TransparencyLogOptions
  readonly #clock: Clock
  readonly #log: WriteAheadLog
  readonly #reserve: Reserve
  readonly #integrator: Integrator
  readonly #publisher: Publisher
  readonly #tick: NodeJS.Timeout
  #publishing = false

  /** Begins the epoch; throws when the disk will not have it. */
  static async open(options: TransparencyLogOptions): Promise<TransparencyLog> {
    const disk = options.disk ?? systemDisk
    const reserve = await createReserve(disk, options.directory)
    const integrator = new Integrator()
    const log = await WriteAheadLog.open({
      ...options,
      makeRoom: () => reserve.release(),
      onWritten: (group) => group.eachEntry((entry) => integrator.add(entry)),
    })
    return new TransparencyLog(options, log, reserve, integrator)
  }

  private constructor(
    options: TransparencyLogOptions,
    log: WriteAheadLog,
    reserve: Reserve,
    integrator: Integrator,
  ) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#log = log
    this.#reserve = reserve
    this.#integrator = integrator
    this.#publisher = new Publisher({
      directory: options.directory,
      origin: options.origin,
      signer: options.signer,
      disk: options.disk ?? systemDisk,
      clock: this.#clock,
      integrator,
      sync: () => log.sync(),
      ...(options.onPublished && { onPublished: options.onPublished }),
    })
    this.#tick = setInterval(() => this.#onTick(), options.checkpoints.intervalMs).unref()
  }

  get epoch(): string {
    return this.#log.epoch
  }

  append(entry: Uint8Array, durability: Durability): Promise<Position> {
    return this.#log.append(entry, durability)
  }

  health(): AuditLogHealth {
    return this.#log.health()
  }

  tree(): TreeState {
    const { published, publishedAtMs } = this.#publisher
    return { origin: this.#options.origin, size: published?.size ?? 0, publishedAtMs }
  }

  /** Makes everything written so far durable. */
  sync(): Promise<void> {
    return this.#log.sync()
  }

  /** Publishes everything appended and written so far; never rejects, what goes wrong is reported. */
  async publish(): Promise<void> {
    try {
      await this.#publisher.publish()
    } catch (cause) {
      this.#options.onPublishFailed?.(cause)
      // A checkpoint may come late. A disk that fails, or a checkpoint that is not ours, is the end.
      if (!(cause instanceof PublishDelayed)) this.#log.fail(cause)
    }
  }

  async seal(): Promise<void> {
    clearInterval(this.#tick)
    await this.#log.seal()
    if (this.#log.health().state === 'sealed') {
      await this.#reserve.release()
      await this.publish()
    }
    this.#options.lock.release()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.seal()
  }

  #onTick(): void {
    const { state } = this.#log.health()
    if (state === 'failed' || state === 'sealed') return
    const { idleIntervalMs } = this.#options.checkpoints
    const stallMs = this.#options.stallMs ?? 10_000
    if (this.#publisher.runningMs() > stallMs || this.#integrator.waitingBytes > WAITING_LIMIT_BYTES) {
      this.#log.fail(new Error('the disk under the audit log does not keep up with its tiles'))
    }
    const isGrown = this.#integrator.size > (this.#publisher.published?.size ?? -1)
    const isDue = this.#clock.nowMs() - this.#publisher.publishedAtMs >= idleIntervalMs
    if (!this.#publishing && (isGrown || isDue)) void this.#publishOnce()
  }

  async #publishOnce(): Promise<void> {
    this.#publishing = true
    await this.publish()
    this.#publishing = false
  }
}
