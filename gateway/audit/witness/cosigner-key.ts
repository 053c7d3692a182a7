import { hash, verify } from 'node:crypto'
import type { NoteSignature } from '../tlog/note.ts'
import type { Signer } from '../tlog/signer.ts'
import { importKey, readWrittenKey, type NoteKey } from '../tlog/verifier-key.ts'

/** Signature type of an Ed25519 cosignature; a type of its own, so that no other signature passes for one. */
const COSIGNATURE = 0x04
const TIMESTAMP_BYTES = 8
const SIGNATURE_BYTES = 64

/** Key of a witness: what it signs says that it saw a log grow to this checkpoint, and when. */
export interface CosignerKey extends NoteKey {
  readonly type: typeof COSIGNATURE
  /** 32 bytes. */
  readonly publicKey: Buffer
}

/** Reads the verifier key of a witness; throws a `RangeError` that says what is wrong. */
export function parseCosignerKey(text: string): CosignerKey {
  const { name, id, type, publicKey } = readWrittenKey(text)
  if (type !== COSIGNATURE) throw new RangeError(`not the key of a witness: ${JSON.stringify(text)}`)
  const key = cosignerKeyOf(name, publicKey)
  if (key.id !== id) throw new RangeError(`the id of the witness key ${name} is not its own`)
  return key
}

/** @see https://c2sp.org/tlog-cosignature "Format": the key id is over name, type and key */
export function cosignerKeyOf(name: string, publicKey: Buffer): CosignerKey {
  const key = importKey(0x01, publicKey)
  const idInput = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(COSIGNATURE), publicKey])
  return {
    name,
    id: hash('sha256', idInput, 'buffer').readUInt32BE(0),
    type: COSIGNATURE,
    publicKey,
    verify(text, signature) {
      if (signature.length !== TIMESTAMP_BYTES + SIGNATURE_BYTES) return false
      const seconds = signature.readBigUInt64BE(0)
      // "It MUST NOT exceed 2^63 - 1": tlog-cosignature.
      if (seconds >= 2n ** 63n) return false
      return verify(null, messageOf(seconds, text), key, signature.subarray(TIMESTAMP_BYTES))
    },
  }
}

/** Cosigns the text of a checkpoint; `signer` has to hold the Ed25519 key that `key` is of. */
export async function cosign(
  text: string,
  nowMs: number,
  key: CosignerKey,
  signer: Signer,
): Promise<NoteSignature> {
  const seconds = BigInt(Math.floor(nowMs / 1_000))
  const timestamp = Buffer.alloc(TIMESTAMP_BYTES)
  timestamp.writeBigUInt64BE(seconds)
  const signature = await signer.sign(messageOf(seconds, text).toString())
  return { name: key.name, keyId: key.id, signature: Buffer.concat([timestamp, signature]) }
}

/** @see https://c2sp.org/tlog-cosignature "Ed25519 signed message" */
function messageOf(seconds: bigint, text: string): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${String(seconds)}\n${text}`)
}
