import type { WitnessesConfig } from '../../config/witness-config.ts'
import type { Clock } from '../../lib/clock.ts'
import { retryDelayMs } from '../../policy/retry-delay.ts'
import type { LogDisk } from '../log-disk.ts'
import type { Checkpoint } from '../tlog/checkpoint.ts'
import { DerivedFiles } from '../tlog/derived-files.ts'
import { formatSignature, type NoteSignature } from '../tlog/note.ts'
import { proveConsistency } from '../tlog/prove-consistency.ts'
import { WitnessClient, type Submitted } from './ask-witness.ts'

/**
 * Newest checkpoint that a quorum has cosigned, beside `checkpoint` in the directory of its log; that one is newer by a
 * round, and has no writer but the log.
 */
export const COSIGNED_FILE = 'checkpoint.cosigned'

const LONGEST_PAUSE_MS = 60_000
/** What a gateway that stops waits for witnesses at most. */
const LAST_ROUND_MS = 3_000

/** `contradicted`: the witness knows another history of this log · `failed`: no answer, or none that can be believed. */
export const WITNESS_OUTCOMES = ['cosigned', 'contradicted', 'refused', 'failed'] as const
export type WitnessOutcome = (typeof WITNESS_OUTCOMES)[number]

export interface WitnessingOptions {
  readonly config: WitnessesConfig
  /** Of the log whose checkpoints are offered. */
  readonly directory: string
  readonly disk: LogDisk
  readonly clock: Clock
  readonly onAnswer: (witness: string, outcome: WitnessOutcome, cause?: unknown) => void
}

interface Offer extends Checkpoint {
  readonly note: string
}

interface Asked {
  readonly client: WitnessClient
  /** Size at which it has the log, as far as we know. */
  size: number
  failures: number
  /** Monotonic; it is left alone until then. */
  dueMs: number
}

/**
 * Asks the witnesses to cosign checkpoints, off every other path. In rounds, in which all are asked for the same
 * checkpoint: witnesses that each took the newest at their own pace might never meet at one.
 */
export class Witnessing implements AsyncDisposable {
  readonly #options: WitnessingOptions
  readonly #files: DerivedFiles
  readonly #witnesses: readonly Asked[]
  readonly #stop = new AbortController()
  #newest: Offer | undefined
  #running: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  #quorumAtMs: number

  constructor(options: WitnessingOptions) {
    this.#options = options
    this.#files = new DerivedFiles(options.disk, options.directory)
    this.#witnesses = options.config.each.map((witness) => ({
      client: new WitnessClient(witness),
      size: 0,
      failures: 0,
      dueMs: 0,
    }))
    this.#quorumAtMs = options.clock.nowMs()
  }

  /** Wall clock of the last checkpoint with a quorum; that of the start before the first. */
  get quorumAtMs(): number {
    return this.#quorumAtMs
  }

  /** Takes the newest checkpoint; returns at once, and the round after the one under way is for it. */
  offer(checkpoint: Checkpoint, note: string): void {
    this.#newest = { ...checkpoint, note }
    this.#start()
  }

  /** Gives the round under way, and the one that waits, a little time yet. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#retry)
    const deadline = setTimeout(() => this.#stop.abort(), LAST_ROUND_MS)
    await this.#running
    clearTimeout(deadline)
    this.#stop.abort()
    clearTimeout(this.#retry)
    for (const { client } of this.#witnesses) client[Symbol.dispose]()
  }

  #start(): void {
    this.#running ??= this.#run()
  }

  async #run(): Promise<void> {
    for (let done; this.#newest !== done && !this.#stop.signal.aborted;) {
      clearTimeout(this.#retry)
      done = this.#newest
      if (done !== undefined) await this.#round(done)
    }
    // Here and not a moment later: an offer that came in between would be taken by nobody.
    this.#running = undefined
    this.#retryWhenDue()
  }

  async #round(offer: Offer): Promise<void> {
    const { config, clock } = this.#options
    const answers = await Promise.all(this.#witnesses.map((witness) => this.#ask(witness, offer)))
    const signatures = answers.filter((signature) => signature !== undefined)
    if (signatures.length < config.quorum) return
    const note = `${offer.note}${signatures.map(formatSignature).join('')}`
    try {
      await this.#files.write([{ path: COSIGNED_FILE, bytes: Buffer.from(note) }])
      this.#quorumAtMs = clock.nowMs()
    } catch (cause) {
      // The log itself finds out what is wrong with the disk; without the file there is no quorum, which is told of.
      this.#options.onAnswer('', 'failed', cause)
    }
  }

  async #ask(witness: Asked, offer: Offer): Promise<NoteSignature | undefined> {
    const { clock, onAnswer } = this.#options
    const { name } = witness.client.key
    if (clock.monotonicMs() < witness.dueMs) return undefined
    try {
      const answer = await this.#submit(witness, offer)
      if (answer.kind === 'cosigned') {
        witness.size = offer.size
        witness.failures = 0
        onAnswer(name, 'cosigned')
        return answer.signature
      }
      onAnswer(name, answer.kind === 'refused' ? 'refused' : 'contradicted')
    } catch (cause) {
      onAnswer(name, 'failed', cause)
    }
    witness.failures++
    witness.dueMs = clock.monotonicMs() + retryDelayMs(witness.failures, LONGEST_PAUSE_MS)
    return undefined
  }

  /** A witness that has the log at another size than we thought is asked once more, from there. */
  async #submit(witness: Asked, offer: Offer): Promise<Submitted> {
    const first = await this.#submitFrom(witness.size, witness, offer)
    // One that has more than we ever signed, or the same size and yet a conflict, has another history.
    if (first.kind !== 'conflict' || first.size > offer.size || first.size === witness.size) return first
    return this.#submitFrom(first.size, witness, offer)
  }

  async #submitFrom(oldSize: number, { client }: Asked, { size, note }: Offer): Promise<Submitted> {
    const proof = await proveConsistency(this.#options.directory, oldSize, size)
    return client.submit({ oldSize, proof, note }, this.#stop.signal)
  }

  #retryWhenDue(): void {
    const failed = this.#witnesses.filter(({ failures }) => failures > 0)
    if (failed.length === 0 || this.#stop.signal.aborted) return
    const dueMs = Math.min(...failed.map((witness) => witness.dueMs))
    const pauseMs = Math.max(0, dueMs - this.#options.clock.monotonicMs())
    this.#retry = setTimeout(() => this.#start(), Math.ceil(pauseMs)).unref()
  }
}
