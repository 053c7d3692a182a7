import { createPublicKey, hash, verify, type KeyObject } from 'node:crypto'

/** Signature types of signed-note that logs here use: Ed25519, and ECDSA with P-256 for services that lack it. */
export type SignatureType = 0x01 | 0x02

/** The SPKI header that stands before the 32 bytes of every Ed25519 key (RFC 8410 §4). */
const ED25519_SPKI = Buffer.from('302a300506032b6570032100', 'hex')

/** A key that signatures on notes can be checked with, of whatever type. */
export interface NoteKey {
  readonly name: string
  readonly id: number
  verify(text: string, signature: Buffer): boolean
}

/** A key that may sign notes of its own, such as checkpoints. */
export interface VerifierKey extends NoteKey {
  readonly type: SignatureType
  /** In the form of its type: 32 bytes for Ed25519, SubjectPublicKeyInfo for ECDSA. */
  readonly publicKey: Buffer
}

/** What the text of a verifier key says, before its type is known to be one that is wanted. */
export interface WrittenKey {
  readonly name: string
  readonly id: number
  readonly type: number | undefined
  readonly publicKey: Buffer
}

/**
 * Reads a verifier key, `<name>+<id>+<base64 of type and key>`; throws a `RangeError` that says what is wrong.
 *
 * @see https://c2sp.org/signed-note and golang.org/x/mod/sumdb/note, where the form comes from
 */
export function parseVerifierKey(text: string): VerifierKey {
  const { name, id, type, publicKey } = readWrittenKey(text)
  // A cosignature is no statement of a log: the key of a witness (type 0x04) never passes for that of one.
  if (type !== 0x01 && type !== 0x02) throw new RangeError(`not a verifier key: ${JSON.stringify(text)}`)
  const key = verifierKeyOf(name, type, publicKey)
  if (key.id !== id) throw new RangeError(`the id of the verifier key ${name} is not its own`)
  return key
}

/** Takes the text of a verifier key apart; the type is missing where the text is none. */
export function readWrittenKey(text: string): WrittenKey {
  const [, name = '', id = '', encoded = ''] =
    /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? []
  const bytes = Buffer.from(encoded, 'base64')
  return { name, id: Number.parseInt(id, 16), type: bytes[0], publicKey: bytes.subarray(1) }
}

export function formatVerifierKey({ name, id, type, publicKey }: WrittenKey & { type: number }): string {
  const encoded = Buffer.concat([Buffer.of(type), publicKey]).toString('base64')
  return `${name}+${id.toString(16).padStart(8, '0')}+${encoded}`
}

export function verifierKeyOf(name: string, type: SignatureType, publicKey: Buffer): VerifierKey {
  const key = importKey(type, publicKey)
  return {
    name,
    id: keyId(name, type, publicKey),
    type,
    publicKey,
    verify: (text, signature) => verify(digestOf(type), Buffer.from(text), key, signature),
  }
}

/** The digest that each type signs over; Ed25519 takes the text itself. */
export function digestOf(type: SignatureType): 'sha256' | null {
  return type === 0x01 ? null : 'sha256'
}

/** The public key of `key`, in the form that its signature type gives it. */
export function publicKeyOf(key: KeyObject): { readonly type: SignatureType; readonly publicKey: Buffer } {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return { type: 0x01, publicKey: spki.subarray(ED25519_SPKI.length) }
    case 'ec':
      if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return { type: 0x02, publicKey: spki }
      break
    default:
  }
  throw new RangeError('checkpoints are signed with Ed25519 or ECDSA P-256, and the key is neither')
}

export function importKey(type: SignatureType, publicKey: Buffer): KeyObject {
  const spki = type === 0x01 ? Buffer.concat([ED25519_SPKI, publicKey]) : publicKey
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' })
  } catch (cause) {
    throw new RangeError('the verifier key holds no public key of its type', { cause })
  }
}

/** First four bytes of a hash; for ECDSA of the key alone, as the witnesses did that had it first. */
function keyId(name: string, type: SignatureType, publicKey: Buffer): number {
  const input =
    type === 0x01 ? Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type), publicKey]) : publicKey
  return hash('sha256', input, 'buffer').readUInt32BE(0)
}
