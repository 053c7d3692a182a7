import type { NoteKey } from './verifier-key.ts'

/** More than any note of ours has, with room for the signatures of witnesses. */
const NOTE_LIMIT_BYTES = 65_536
/** What a verifier must accept at least is 16. */
const SIGNATURES_LIMIT = 64

export interface NoteSignature {
  readonly name: string
  readonly keyId: number
  readonly signature: Buffer
}

/** A signed note, taken apart and not yet believed. */
export interface Note {
  /** Ends with a newline; this is what was signed. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** @see https://c2sp.org/signed-note "Format" */
export function formatNote({ text, signatures }: Note): string {
  return `${text}\n${signatures.map(formatSignature).join('')}`
}

/** One signature line, with its newline. */
export function formatSignature({ name, keyId, signature }: NoteSignature): string {
  const id = Buffer.alloc(4)
  id.writeUInt32BE(keyId)
  return `— ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`
}

/** Takes a note apart; `undefined` when it is none. */
export function parseNote(untrustedNote: string): Note | undefined {
  if (Buffer.byteLength(untrustedNote) > NOTE_LIMIT_BYTES || hasControl(untrustedNote)) return undefined
  // Bytes that are no UTF-8 have become U+FFFD by now.
  if (untrustedNote.includes('\ufffd')) return undefined
  const split = untrustedNote.lastIndexOf('\n\n')
  if (split === -1 || !untrustedNote.endsWith('\n')) return undefined
  const lines = untrustedNote.slice(split + 2, -1).split('\n')
  if (lines.length > SIGNATURES_LIMIT) return undefined
  const signatures: NoteSignature[] = []
  for (const line of lines) {
    const signature = parseSignature(line)
    if (signature === undefined) return undefined
    signatures.push(signature)
  }
  return { text: untrustedNote.slice(0, split + 1), signatures }
}

/**
 * Whether one of `keys` signed the note. Signatures of keys that are not given are no concern of ours; one of a
 * given key that does not verify spoils the note.
 *
 * @see https://c2sp.org/signed-note "Signatures"
 */
export function isSignedBy(note: Note, keys: readonly NoteKey[]): boolean {
  const known = note.signatures.flatMap(({ name, keyId, signature }) =>
    keys
      .filter((key) => key.name === name && key.id === keyId)
      .map((key) => key.verify(note.text, signature)),
  )
  return known.length > 0 && known.every(Boolean)
}

function parseSignature(line: string): NoteSignature | undefined {
  const match = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/.exec(line)
  if (match === null) return undefined
  const [, name = '', encoded = ''] = match
  const bytes = Buffer.from(encoded, 'base64')
  // One way to write it: a second spelling of the same bytes is another file.
  if (bytes.length <= 4 || bytes.toString('base64') !== encoded) return undefined
  return { name, keyId: bytes.readUInt32BE(0), signature: bytes.subarray(4) }
}

function hasControl(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- they are what it looks for
  return /[\u0000-\u0009\u000b-\u001f]/.test(text)
}
