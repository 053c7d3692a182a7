import type { KeyObject } from 'node:crypto'
import type { TokenAlgorithm } from '../config/config.ts'
import { isObject } from './compact.ts'
import { importPublicJwk, readPublicJwk } from './public-jwk.ts'
import { withAliases } from './signature.ts'

/** A key of an issuer, imported, with the algorithms it is pinned to. */
export interface IssuerKey {
  readonly kid: string | undefined
  readonly thumbprint: string
  readonly algorithms: readonly TokenAlgorithm[]
  readonly key: KeyObject
}

export type KeySet = readonly IssuerKey[]

const MAX_KEYS = 64

/**
 * Reads a JWK Set (RFC 7517 §5). Keys that cannot verify a signature of an allowed algorithm are left out, as §5
 * wants of members not understood; a document that is no key set at all throws.
 */
export function readKeySet(untrustedDocument: unknown, allowed: readonly TokenAlgorithm[]): KeySet {
  const untrustedKeys = isObject(untrustedDocument) ? untrustedDocument['keys'] : undefined
  if (!Array.isArray(untrustedKeys)) throw new TypeError('the document is not a JWK Set')
  if (untrustedKeys.length > MAX_KEYS) throw new RangeError(`the JWK Set has more than ${MAX_KEYS} keys`)
  const keys = untrustedKeys.flatMap((key) => readIssuerKey(key, allowed) ?? [])
  if (keys.length === 0) throw new TypeError('the JWK Set has no key of an allowed algorithm')
  return keys
}

/**
 * The one key that the token's header names. Two that fit are as bad as none: which of them signed is then for the
 * sender to choose.
 */
export function findKey(
  keys: KeySet,
  kid: string | undefined,
  algorithm: TokenAlgorithm,
): IssuerKey | undefined {
  const fitting = keys.filter(
    (key) => key.algorithms.includes(algorithm) && (kid === undefined || key.kid === kid),
  )
  return fitting.length === 1 ? fitting[0] : undefined
}

/** Whether a key of `before` is gone from `after`: what it vouched for is then no longer vouched for. */
export function hasLost(before: KeySet, after: KeySet): boolean {
  return before.some((old) => !after.some((key) => key.kid === old.kid && key.thumbprint === old.thumbprint))
}

function readIssuerKey(untrustedKey: unknown, allowed: readonly TokenAlgorithm[]): IssuerKey | undefined {
  const jwk = readPublicJwk(untrustedKey)
  if (jwk === undefined || !isObject(untrustedKey)) return undefined
  const { kid, alg, use, key_ops: operations } = untrustedKey
  if (use !== undefined && use !== 'sig') return undefined
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify')))
    return undefined
  if (kid !== undefined && typeof kid !== 'string') return undefined
  const pinned = alg === undefined ? jwk.algorithms : jwk.algorithms.filter((name) => name === alg)
  const algorithms = withAliases(pinned).filter((name) => withAliases(allowed).includes(name))
  if (algorithms.length === 0) return undefined
  try {
    return { kid, thumbprint: jwk.thumbprint, algorithms, key: importPublicJwk(jwk) }
  } catch {
    // Not a point of its curve.
    return undefined
  }
}
