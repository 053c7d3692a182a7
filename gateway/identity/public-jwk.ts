import { createPublicKey, hash } from 'node:crypto'
import type { JsonWebKey, KeyObject } from 'node:crypto'
import type { TokenAlgorithm } from '../config/config.ts'
import { decodeCanonical, isObject } from './compact.ts'
import type { JsonObject } from './compact.ts'

/** A public key that passed every check that `createPublicKey` leaves out. */
export interface PublicJwk {
  /** RFC 7638 SHA-256 thumbprint, base64url: `jkt`. */
  readonly thumbprint: string
  /** Algorithms that this key type can be used with. */
  readonly algorithms: readonly TokenAlgorithm[]
  /** The required members alone, in RFC 7638 order. */
  readonly members: JsonWebKey
}

/** RFC 7518 §6.2.2, §6.3.2, §6.4: any of these makes a JWK private or symmetric. */
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

const CURVES = new Map<unknown, { readonly sizeBytes: number; readonly algorithms: TokenAlgorithm[] }>([
  ['P-256', { sizeBytes: 32, algorithms: ['ES256'] }],
  ['P-384', { sizeBytes: 48, algorithms: ['ES384'] }],
])
const EDWARDS: readonly TokenAlgorithm[] = ['EdDSA', 'Ed25519']
const RSA: readonly TokenAlgorithm[] = ['PS256', 'RS256']
const MIN_MODULUS_BITS = 2048
const MAX_MODULUS_BITS = 4096

/**
 * Reads a public JWK, or `undefined` for anything else. Node's own import takes a private JWK and RSA of 1024 bits
 * without a word, and several spellings of one coordinate, which would give one key several thumbprints.
 */
export function readPublicJwk(untrustedJwk: unknown): PublicJwk | undefined {
  if (!isObject(untrustedJwk)) return undefined
  if (SECRET_MEMBERS.some((name) => Object.hasOwn(untrustedJwk, name))) return undefined
  switch (untrustedJwk['kty']) {
    case 'EC':
      return readElliptic(untrustedJwk)
    case 'OKP':
      return readEdwards(untrustedJwk)
    case 'RSA':
      return readRsa(untrustedJwk)
    default:
      return undefined
  }
}

/** Imports the key; throws when the coordinates are no point of the curve. */
export function importPublicJwk(jwk: PublicJwk): KeyObject {
  return createPublicKey({ key: jwk.members, format: 'jwk' })
}

function readElliptic({ crv, x, y }: JsonObject): PublicJwk | undefined {
  const curve = CURVES.get(crv)
  if (curve === undefined || typeof crv !== 'string') return undefined
  if (!isOctets(x, curve.sizeBytes) || !isOctets(y, curve.sizeBytes)) return undefined
  return describe({ crv, kty: 'EC', x, y }, curve.algorithms)
}

function readEdwards({ crv, x }: JsonObject): PublicJwk | undefined {
  if (crv !== 'Ed25519' || !isOctets(x, 32)) return undefined
  return describe({ crv, kty: 'OKP', x }, EDWARDS)
}

function readRsa({ n, e }: JsonObject): PublicJwk | undefined {
  // 65537 is what every issuer uses; other exponents only serve attacks.
  if (e !== 'AQAB' || typeof n !== 'string' || n.length > MAX_MODULUS_BITS) return undefined
  const modulus = decodeCanonical(n)
  const first = modulus?.[0]
  if (modulus === undefined || first === undefined || first === 0) return undefined
  const bits = modulus.length * 8 - (Math.clz32(first) - 24)
  if (bits < MIN_MODULUS_BITS || bits > MAX_MODULUS_BITS) return undefined
  return describe({ e, kty: 'RSA', n }, RSA)
}

/** RFC 7638 §3.2: the required members in lexicographic order, without white space. */
function describe(members: JsonWebKey, algorithms: readonly TokenAlgorithm[]): PublicJwk {
  return { thumbprint: hash('sha256', JSON.stringify(members), 'base64url'), algorithms, members }
}

function isOctets(value: unknown, sizeBytes: number): value is string {
  if (typeof value !== 'string' || value.length > 2 * sizeBytes) return false
  return decodeCanonical(value)?.length === sizeBytes
}
