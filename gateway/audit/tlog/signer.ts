import { sign, type KeyObject } from 'node:crypto'
import { digestOf, publicKeyOf, verifierKeyOf, type VerifierKey } from './verifier-key.ts'

/** Who signs checkpoints: a key file here, a key service where keys may not lie on disks. */
export interface Signer {
  readonly key: VerifierKey
  /**
   * Signs the text of a note; ECDSA signatures are in DER. May fail for a while, and may not hang: what it waits
   * for the log waits for too.
   */
  sign(text: string): Promise<Buffer>
}

/** Signs with a key in memory, Ed25519 or ECDSA P-256. */
export function createKeySigner(name: string, privateKey: KeyObject): Signer {
  const { type, publicKey } = publicKeyOf(privateKey)
  return {
    key: verifierKeyOf(name, type, publicKey),
    sign: (text) => Promise.resolve(sign(digestOf(type), Buffer.from(text), privateKey)),
  }
}
