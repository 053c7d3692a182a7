import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../lib/clock.ts'
import { lockDirectory, type DirectoryLock } from '../../lib/directory-lock.ts'
import { CorruptLog } from '../corrupt-log.ts'
import type { LogDisk } from '../log-disk.ts'
import { makeOnce, readIfThere } from '../make-once.ts'
import { parseCheckpoint, type SignedCheckpoint } from '../tlog/checkpoint.ts'
import { DerivedFiles } from '../tlog/derived-files.ts'
import { EMPTY_ROOT } from '../tlog/merkle-hash.ts'
import { formatNote, formatSignature, isSignedBy } from '../tlog/note.ts'
import { verifyConsistency } from '../tlog/proof.ts'
import type { Signer } from '../tlog/signer.ts'
import { openSigner } from '../tlog/signing-key.ts'
import { formatVerifierKey, type VerifierKey } from '../tlog/verifier-key.ts'
import { parseAddCheckpoint, type AddCheckpoint } from './add-checkpoint.ts'
import { cosign, cosignerKeyOf, type CosignerKey } from './cosigner-key.ts'

/** In the state directory: the key whose memory this is. */
const OWNER_FILE = 'key'

export interface WitnessOptions {
  /** Name of the key, such as `witness.example/w1`. */
  readonly name: string
  /** PKCS #8 in PEM, Ed25519; made at the first start. */
  readonly keyFile: string
  readonly stateDirectory: string
  /** Keys of the logs it witnesses: each speaks for the origin that is its name, and for those below that. */
  readonly logs: readonly VerifierKey[]
  readonly clock: Clock
  readonly disk: LogDisk
  /** Told when a log has signed two roots for one size; both are kept. */
  readonly onSplitView: (origin: string, size: number) => void
}

/** How a request ends, by what tlog-witness has a status for. */
export type WitnessAnswer =
  | { readonly kind: 'cosigned'; readonly signatureLine: string }
  | { readonly kind: 'malformed' | 'unknown_origin' | 'unsigned' | 'inconsistent' }
  /** The size is that of the newest checkpoint which this witness has cosigned. */
  | { readonly kind: 'conflict'; readonly size: number }

/**
 * Remembers the newest checkpoint of each log and cosigns what can only have grown from it: never two roots of one
 * size, never a smaller size after a larger one, and nothing that it could forget.
 */
export class Witness implements Disposable {
  readonly key: CosignerKey
  readonly #options: WitnessOptions
  readonly #signer: Signer
  readonly #lock: DirectoryLock
  readonly #files: DerivedFiles
  /** The last request of each origin that has one under way. */
  readonly #turns = new Map<string, Promise<unknown>>()
  #fault: unknown

  /** Throws when the key has signed before and what it signed is not in the state directory. */
  static async open(options: WitnessOptions): Promise<Witness> {
    const { name, keyFile, stateDirectory } = options
    await mkdir(stateDirectory, { recursive: true, mode: 0o700 })
    const lock = lockDirectory(stateDirectory)
    if (lock === undefined) throw new Error(`another witness is running on ${stateDirectory}`)
    try {
      const isNew = !existsSync(keyFile)
      const signer = await openSigner(name, keyFile)
      if (signer.key.type !== 0x01) throw new Error('a witness signs with an Ed25519 key')
      const key = cosignerKeyOf(name, signer.key.publicKey)
      await claimMemory(options, formatVerifierKey(key), isNew)
      return new Witness(options, key, signer, lock)
    } catch (cause) {
      lock.release()
      throw cause
    }
  }

  private constructor(options: WitnessOptions, key: CosignerKey, signer: Signer, lock: DirectoryLock) {
    this.#options = options
    this.key = key
    this.#signer = signer
    this.#lock = lock
    this.#files = new DerivedFiles(options.disk, options.stateDirectory)
  }

  /** Rejects when the memory cannot be read or written; after that it signs nothing until it is started anew. */
  async addCheckpoint(untrustedBody: string): Promise<WitnessAnswer> {
    const request = parseAddCheckpoint(untrustedBody)
    if (request === undefined) return { kind: 'malformed' }
    const { oldSize, checkpoint } = request
    const keys = this.#keysFor(checkpoint.origin)
    if (keys.length === 0) return { kind: 'unknown_origin' }
    if (!isSignedBy(checkpoint.note, keys)) return { kind: 'unsigned' }
    if (oldSize > checkpoint.size) return { kind: 'malformed' }
    return this.#inTurn(checkpoint.origin, () => this.#advance(request, keys))
  }

  [Symbol.dispose](): void {
    this.#lock.release()
  }

  /**
   * Keys of the longest name that the origin is, or is below: a log of Toolgate is `<key name>/<node>/<epoch>`. The
   * key of a whole deployment does not speak for a part of it that has a key of its own.
   */
  #keysFor(origin: string): VerifierKey[] {
    const named = this.#options.logs.filter(({ name }) => origin === name || origin.startsWith(`${name}/`))
    const longest = Math.max(0, ...named.map(({ name }) => name.length))
    return named.filter(({ name }) => name.length === longest)
  }

  /**
   * One request at a time for each origin: between the check of the old size and the end of the write another one would
   * put a smaller size over a larger (tlog-witness, "the following race can occur").
   */
  #inTurn<Result>(origin: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#turns.get(origin) ?? Promise.resolve()
    const turn = before.then(work, work)
    this.#turns.set(origin, turn)
    const leave = (): void => {
      if (this.#turns.get(origin) === turn) this.#turns.delete(origin)
    }
    turn.then(leave, leave)
    return turn
  }

  async #advance(request: AddCheckpoint, keys: readonly VerifierKey[]): Promise<WitnessAnswer> {
    if (this.#fault !== undefined)
      throw new Error('the witness has lost its memory, and signs nothing', { cause: this.#fault })
    try {
      return await this.#check(request, keys)
    } catch (cause) {
      // What a failed fsync left behind nobody knows; only a new start reads what is really there.
      this.#fault = cause
      throw cause
    }
  }

  async #check(
    { oldSize, proof, checkpoint }: AddCheckpoint,
    keys: readonly VerifierKey[],
  ): Promise<WitnessAnswer> {
    const { origin, size, root } = checkpoint
    const known = (await this.#recall(origin)) ?? { size: 0, root: EMPTY_ROOT }
    if (oldSize !== known.size) return { kind: 'conflict', size: known.size }
    if (oldSize === size && !root.equals(known.root)) {
      await this.#remember(`${fileOf(origin)}.split`, formatNote(checkpoint.note))
      this.#options.onSplitView(origin, size)
      return { kind: 'conflict', size: known.size }
    }
    if (!verifyConsistency(oldSize, size, proof, known.root, root)) return { kind: 'inconsistent' }
    const { text, signatures } = checkpoint.note
    const cosignature = await cosign(text, this.#options.clock.nowMs(), this.key, this.#signer)
    const believed = signatures.filter(({ name, keyId }) =>
      keys.some((key) => key.name === name && key.id === keyId),
    )
    await this.#remember(fileOf(origin), formatNote({ text, signatures: [...believed, cosignature] }))
    return { kind: 'cosigned', signatureLine: formatSignature(cosignature) }
  }

  /** What this witness last cosigned of a log. */
  async #recall(origin: string): Promise<SignedCheckpoint | undefined> {
    const file = join(this.#options.stateDirectory, fileOf(origin))
    const bytes = await readIfThere(file)
    if (bytes === undefined) return undefined
    const checkpoint = parseCheckpoint(bytes.toString())
    if (checkpoint?.origin !== origin || !isSignedBy(checkpoint.note, [this.key]))
      throw new CorruptLog(file, 0, 'this is not what the witness has cosigned')
    return checkpoint
  }

  async #remember(path: string, note: string): Promise<void> {
    await this.#files.write([{ path, bytes: Buffer.from(note) }])
  }
}

/** An origin may hold anything but a newline; its hash is a file name. */
function fileOf(origin: string): string {
  return `${hash('sha256', origin)}.checkpoint`
}

/** A key without the memory of what it signed could sign another history: it is of no use any more. */
async function claimMemory(
  { keyFile, stateDirectory }: WitnessOptions,
  line: string,
  isNew: boolean,
): Promise<void> {
  const file = join(stateDirectory, OWNER_FILE)
  const owner = await readIfThere(file)
  if (owner === undefined && !isNew) {
    const remedy = 'bring that back, or take both away and hand out the new key'
    throw new Error(`what the key in ${keyFile} has signed is not in ${stateDirectory}: ${remedy}`)
  }
  if (owner !== undefined && owner.toString() !== `${line}\n`)
    throw new Error(`${stateDirectory} is the memory of the witness ${owner.toString().trimEnd()}`)
  await makeOnce(file, () => Buffer.from(`${line}\n`))
}
