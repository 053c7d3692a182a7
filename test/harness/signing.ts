import { constants, createHash, generateKeyPairSync, sign } from 'node:crypto'
import type { JsonWebKey, KeyObject } from 'node:crypto'
import type { TokenAlgorithm } from '../../gateway/config/config.ts'

/** The key of an agent: it signs proofs, and its thumbprint is what a token is bound to. */
export interface ProofKey {
  readonly algorithm: TokenAlgorithm
  readonly privateKey: KeyObject
  /** Public members only. */
  readonly publicJwk: JsonWebKey
  readonly privateJwk: JsonWebKey
  /** RFC 7638 SHA-256 thumbprint, base64url. */
  readonly jkt: string
}

export type Json = Record<string, unknown>

export function createProofKey(algorithm: TokenAlgorithm = 'ES256'): ProofKey {
  const { publicKey, privateKey } = generate(algorithm)
  const publicJwk = publicKey.export({ format: 'jwk' })
  return {
    algorithm,
    privateKey,
    publicJwk,
    privateJwk: privateKey.export({ format: 'jwk' }),
    jkt: thumbprint(publicJwk),
  }
}

/** JWS compact serialisation of any header and claims, right or wrong. */
export function signCompact(
  header: Json,
  claims: Json,
  key: Pick<ProofKey, 'algorithm' | 'privateKey'>,
): string {
  return signEncoded(encode(header), encode(claims), key)
}

export function signEncoded(
  header: string,
  payload: string,
  key: Pick<ProofKey, 'algorithm' | 'privateKey'>,
): string {
  const input = `${header}.${payload}`
  return `${input}.${signature(input, key.algorithm, key.privateKey).toString('base64url')}`
}

export function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

export function thumbprint(jwk: JsonWebKey): string {
  const { kty, crv, x, y, n, e } = jwk
  const members = kty === 'RSA' ? { e, kty, n } : kty === 'OKP' ? { crv, kty, x } : { crv, kty, x, y }
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url')
}

export function generate(algorithm: TokenAlgorithm): { publicKey: KeyObject; privateKey: KeyObject } {
  return ALGORITHMS[algorithm].generate()
}

function signature(input: string, algorithm: TokenAlgorithm, key: KeyObject): Buffer {
  return ALGORITHMS[algorithm].sign(Buffer.from(input), key)
}

interface Algorithm {
  readonly generate: () => { publicKey: KeyObject; privateKey: KeyObject }
  readonly sign: (data: Buffer, key: KeyObject) => Buffer
}

const edwards: Algorithm = {
  generate: () => generateKeyPairSync('ed25519'),
  sign: (data, key) => sign(null, data, key),
}

const rsa = (padding: object): Algorithm => ({
  generate: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  sign: (data, key) => sign('sha256', data, { key, ...padding }),
})

const elliptic = (namedCurve: string, hash: string): Algorithm => ({
  generate: () => generateKeyPairSync('ec', { namedCurve }),
  sign: (data, key) => sign(hash, data, { key, dsaEncoding: 'ieee-p1363' }),
})

const ALGORITHMS: Readonly<Record<TokenAlgorithm, Algorithm>> = {
  ES256: elliptic('P-256', 'sha256'),
  ES384: elliptic('P-384', 'sha384'),
  EdDSA: edwards,
  Ed25519: edwards,
  PS256: rsa({ padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
  RS256: rsa({}),
}

/** Leaves out the members that are `undefined`, as a JSON text would. */
export function defined(members: Json): Json {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}
