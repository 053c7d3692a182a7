import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../lib/clock.ts'
import { CorruptLog } from '../corrupt-log.ts'
import { hasCode, isDiskFull, type LogDisk } from '../log-disk.ts'
import { CHECKPOINT_FILE, signCheckpoint, type Checkpoint } from './checkpoint.ts'
import { DerivedFiles, type DerivedFile } from './derived-files.ts'
import type { Integrator } from './integrator.ts'
import type { Signer } from './signer.ts'

export interface PublisherOptions {
  /** Directory of the log; this process alone writes there. */
  readonly directory: string
  readonly origin: string
  readonly signer: Signer
  readonly disk: LogDisk
  readonly clock: Clock
  readonly integrator: Integrator
  /** What the checkpoint file holds when this begins; empty for none. */
  readonly stored?: string
  /** Makes every entry durable that the integrator has by then. */
  readonly sync: () => Promise<void>
  readonly onPublished?: (checkpoint: Checkpoint, note: string) => void
}

/** A publication that came to nothing and may come to something when it is tried again. */
export class PublishDelayed extends Error {
  override readonly name = 'PublishDelayed'
}

/**
 * Publishes what the log commits to: tiles and bundles first, then the checkpoint that covers them, and never a
 * checkpoint whose entries could be lost. One publication runs at a time: of two that overlap, the slower would put
 * the older checkpoint over the newer.
 */
export class Publisher {
  readonly #options: PublisherOptions
  readonly #files: DerivedFiles
  #stored: string
  #running: Promise<void> = Promise.resolve()
  #runningSinceMs: number | undefined
  #published: Checkpoint | undefined
  #publishedAtMs = 0
  /** Full files not yet on disk: a publication that failed leaves them to the next. */
  #unwritten: DerivedFile[] = []
  /** Partial tiles on disk, by the path of the full tile that they begin. */
  readonly #partials = new Map<string, Set<string>>()

  constructor(options: PublisherOptions) {
    this.#options = options
    this.#files = new DerivedFiles(options.disk, options.directory)
    this.#stored = options.stored ?? ''
  }

  /** The newest checkpoint of this publisher. */
  get published(): Checkpoint | undefined {
    return this.#published
  }

  /** Wall clock of the last publication; 0 before the first. */
  get publishedAtMs(): number {
    return this.#publishedAtMs
  }

  /** How long the publication under way has been running. */
  runningMs(): number {
    return this.#runningSinceMs === undefined ? 0 : this.#options.clock.monotonicMs() - this.#runningSinceMs
  }

  /**
   * Publishes everything that the integrator has when its turn comes. Rejects with {@link PublishDelayed} when it may
   * be tried again, and otherwise with what makes this log unfit to go on.
   */
  publish(): Promise<void> {
    const publication = this.#running.then(() => this.#publishTimed())
    this.#running = publication.catch(() => undefined)
    return publication
  }

  async #publishTimed(): Promise<void> {
    this.#runningSinceMs = this.#options.clock.monotonicMs()
    try {
      await this.#publish()
    } finally {
      this.#runningSinceMs = undefined
    }
  }

  async #publish(): Promise<void> {
    const { origin, integrator, sync } = this.#options
    const { size, root, full, partial } = integrator.snapshot()
    this.#unwritten = this.#unwritten.concat(full)
    const files = this.#unwritten.concat(partial)
    await sync()
    await delayedByFullDisk(() => this.#files.write(files))
    this.#unwritten = []
    const checkpoint = { origin, size, root }
    const note = await this.#sign(checkpoint)
    await this.#replace(note)
    this.#published = checkpoint
    this.#publishedAtMs = this.#options.clock.nowMs()
    this.#options.onPublished?.(checkpoint, note)
    await this.#dropPartials(files.map(({ path }) => path))
  }

  async #sign(checkpoint: Checkpoint): Promise<string> {
    try {
      return await signCheckpoint(checkpoint, this.#options.signer)
    } catch (cause) {
      throw new PublishDelayed('the signer did not sign the checkpoint', { cause })
    }
  }

  /** Compare and swap: a checkpoint that somebody else put there is never written over. */
  async #replace(note: string): Promise<void> {
    const { directory } = this.#options
    const path = join(directory, CHECKPOINT_FILE)
    if ((await readIfThere(path)) !== this.#stored) {
      throw new CorruptLog(path, 0, 'the checkpoint is not the one that this process stored')
    }
    await delayedByFullDisk(() => this.#files.write([{ path: CHECKPOINT_FILE, bytes: Buffer.from(note) }]))
    this.#stored = note
  }

  /** Partial tiles have served once their full tile is there; until then some checkpoint needs them. */
  async #dropPartials(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      const [full = '', width] = path.split('.p/')
      if (width !== undefined) this.#partials.set(full, (this.#partials.get(full) ?? new Set()).add(path))
    }
    for (const path of paths) {
      const outgrown = this.#partials.get(path)
      if (outgrown === undefined) continue
      for (const partial of outgrown) await this.#files.remove(partial)
      await this.#files.removeDirectory(`${path}.p`)
      this.#partials.delete(path)
    }
  }
}

async function delayedByFullDisk(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (cause) {
    if (!isDiskFull(cause)) throw cause
    throw new PublishDelayed('there is no room for the tiles of the audit log', { cause })
  }
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return ''
    throw cause
  }
}
