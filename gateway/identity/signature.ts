import { constants, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { TokenAlgorithm } from '../config/config.ts'
import { derSignature } from './ecdsa-signature.ts'

type Verifier = (input: Buffer, key: KeyObject, signature: Buffer) => boolean

const ecdsa =
  (hash: string, sizeBytes: number): Verifier =>
  (input, key, signature) => {
    const der = derSignature(signature, sizeBytes)
    return der !== undefined && verify(hash, input, key, der)
  }

const edwards: Verifier = (input, key, signature) => verify(null, input, key, signature)

const VERIFIERS: Readonly<Record<TokenAlgorithm, Verifier>> = {
  ES256: ecdsa('sha256', 32),
  ES384: ecdsa('sha384', 48),
  EdDSA: edwards,
  Ed25519: edwards,
  // Without an explicit length Node accepts any salt; RFC 7518 §3.5 wants that of the hash.
  PS256: (input, key, signature) =>
    verify(
      'sha256',
      input,
      { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
      signature,
    ),
  RS256: (input, key, signature) => verify('sha256', input, key, signature),
}

/**
 * Verifies in this thread: a thread-pool round trip costs more than it frees (65 µs of ECDSA against two hops).
 * `algorithm` comes from the allow-list and fits `key`; never from the token alone.
 */
export function verifySignature(
  algorithm: TokenAlgorithm,
  input: Buffer,
  key: KeyObject,
  signature: Buffer,
): boolean {
  return VERIFIERS[algorithm](input, key, signature)
}

/** `EdDSA` and `Ed25519` are two names of one signature here (RFC 9864 §2.2): whoever allows one allows both. */
export function withAliases(algorithms: readonly TokenAlgorithm[]): readonly TokenAlgorithm[] {
  if (!algorithms.includes('EdDSA') && !algorithms.includes('Ed25519')) return algorithms
  return [...new Set<TokenAlgorithm>([...algorithms, 'EdDSA', 'Ed25519'])]
}
