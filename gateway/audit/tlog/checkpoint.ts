import { HASH_BYTES } from './merkle-hash.ts'
import { formatNote, parseNote, type Note } from './note.ts'
import type { Signer } from './signer.ts'

/** File of the newest checkpoint, in the directory of its log. */
export const CHECKPOINT_FILE = 'checkpoint'

/** What a log has committed to: its first `size` entries and their order. */
export interface Checkpoint {
  /** Which log: `<deployment>/<node>/<epoch>`. */
  readonly origin: string
  readonly size: number
  readonly root: Buffer
}

export interface SignedCheckpoint extends Checkpoint {
  readonly note: Note
}

/**
 * Signs a checkpoint; there are no extension lines, which monitors could not audit.
 *
 * @see https://c2sp.org/tlog-checkpoint
 */
export async function signCheckpoint({ origin, size, root }: Checkpoint, signer: Signer): Promise<string> {
  const text = `${origin}\n${String(size)}\n${root.toString('base64')}\n`
  const { name, id } = signer.key
  return formatNote({ text, signatures: [{ name, keyId: id, signature: await signer.sign(text) }] })
}

/** Reads a checkpoint without asking who signed it; `undefined` when it is none. */
export function parseCheckpoint(untrustedNote: string): SignedCheckpoint | undefined {
  const note = parseNote(untrustedNote)
  const match = /^([^\n]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*$/.exec(note?.text ?? '')
  if (note === undefined || match === null) return undefined
  const [, origin = '', untrustedSize = '', encoded = ''] = match
  const size = Number(untrustedSize)
  const root = Buffer.from(encoded, 'base64')
  if (!Number.isSafeInteger(size) || root.length !== HASH_BYTES || root.toString('base64') !== encoded) {
    return undefined
  }
  return { origin, size, root, note }
}
