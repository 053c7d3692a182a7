import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode, syncDirectory } from '../log-disk.ts'
import { makeOnce } from '../make-once.ts'
import { formatNote, isSignedBy, parseNote, type NoteSignature } from './note.ts'
import type { Signer } from './signer.ts'
import { formatVerifierKey, parseVerifierKey, type VerifierKey } from './verifier-key.ts'

/** First line of every handover: no checkpoint begins like this, so a signature on one never passes for the other. */
const HEADER = 'toolgate/key-handover/v1'
/** Beside the keys that have signed; a handover proves itself, wherever it lies. */
const HANDOVERS_DIRECTORY = join('keys', 'handovers')
const MOST_HANDOVERS = 1_024

/** The statement of one key that another one signs from now on, which that one has signed, too. */
export interface KeyHandover {
  readonly before: VerifierKey
  readonly after: VerifierKey
  /** When it was made, ISO 8601. */
  readonly time: string
  /** The signed note itself. */
  readonly note: string
}

/** Both sign: the old key says who follows it, the new one that it is held by whoever asked for that. */
export async function signHandover(before: Signer, after: Signer, time: string): Promise<KeyHandover> {
  const text = `${[HEADER, formatVerifierKey(before.key), formatVerifierKey(after.key), time].join('\n')}\n`
  const signatures: NoteSignature[] = []
  for (const signer of [before, after]) {
    const { name, id } = signer.key
    signatures.push({ name, keyId: id, signature: await signer.sign(text) })
  }
  return { before: before.key, after: after.key, time, note: formatNote({ text, signatures }) }
}

/** Reads a handover; `undefined` unless both of its keys have signed it. */
export function parseHandover(untrustedNote: string): KeyHandover | undefined {
  const note = parseNote(untrustedNote)
  if (note === undefined) return undefined
  const [header, written, successor, time = '', end, ...rest] = note.text.split('\n')
  if (header !== HEADER || end !== '' || rest.length > 0) return undefined
  const before = keyIn(written)
  const after = keyIn(successor)
  // A key speaks for one name: were the next one of another, one deployment could hand over to a second.
  if (before === undefined || after === undefined || before.name !== after.name) return undefined
  if (!isSignedBy(note, [before]) || !isSignedBy(note, [after])) return undefined
  return { before, after, time, note: untrustedNote }
}

/** `keys`, and every key that one of them handed over to, however many times. */
export function withSuccessors(
  keys: readonly VerifierKey[],
  handovers: readonly KeyHandover[],
): VerifierKey[] {
  const known = new Map(keys.map((key) => [formatVerifierKey(key), key]))
  for (let before = -1; before !== known.size;) {
    before = known.size
    for (const handover of handovers) {
      if (known.has(formatVerifierKey(handover.before)))
        known.set(formatVerifierKey(handover.after), handover.after)
    }
  }
  return [...known.values()]
}

/** Durable once it resolves. */
export async function storeHandover(auditDirectory: string, handover: KeyHandover): Promise<void> {
  const directory = join(auditDirectory, HANDOVERS_DIRECTORY)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await syncDirectory(join(auditDirectory, 'keys'))
  const [before, after] = [handover.before, handover.after].map(({ id }) => id.toString(16).padStart(8, '0'))
  await makeOnce(join(directory, `${before}-${after}`), () => Buffer.from(handover.note))
}

/** Those kept in an audit directory; files that are none prove nothing and are passed over. */
export async function listHandovers(auditDirectory: string): Promise<KeyHandover[]> {
  const directory = join(auditDirectory, HANDOVERS_DIRECTORY)
  const names: string[] = await readdir(directory).catch((cause: unknown) => {
    if (hasCode(cause, 'ENOENT')) return []
    throw cause
  })
  const found: KeyHandover[] = []
  for (const name of names.sort().slice(0, MOST_HANDOVERS)) {
    if (!/^[0-9a-f]{8}-[0-9a-f]{8}$/.test(name)) continue
    const handover = parseHandover(await readFile(join(directory, name), 'utf8'))
    if (handover !== undefined) found.push(handover)
  }
  return found
}

function keyIn(line: string | undefined): VerifierKey | undefined {
  try {
    return parseVerifierKey(line ?? '')
  } catch {
    return undefined
  }
}
