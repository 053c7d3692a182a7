import { isObject } from './compact.ts'

/** How a token is bound (RFC 7800 §3.1): to a DPoP key, to a certificate, to both, or not at all. */
export interface Confirmation {
  /** RFC 9449 §6.1. */
  readonly jkt: string | undefined
  /** RFC 8705 §3.1. */
  readonly x5t: string | undefined
}

/** Base64url of a SHA-256 digest, whose last character carries two unused bits. */
const DIGEST = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/

/**
 * Reads `cnf`; `undefined` when it cannot be honoured in full. A member that we do not know is a condition we would
 * be leaving out, so it refuses the token, although RFC 7800 §3.1 would let it be ignored.
 */
export function readConfirmation(untrustedClaim: unknown): Confirmation | undefined {
  if (untrustedClaim === undefined) return { jkt: undefined, x5t: undefined }
  if (!isObject(untrustedClaim)) return undefined
  const { jkt, 'x5t#S256': x5t, ...unknown } = untrustedClaim
  if (Object.keys(unknown).length > 0 || (jkt === undefined && x5t === undefined)) return undefined
  if (!isDigestOrAbsent(jkt) || !isDigestOrAbsent(x5t)) return undefined
  return { jkt, x5t }
}

function isDigestOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || (typeof value === 'string' && DIGEST.test(value))
}
