import type { HeaderList } from '../lib/header-list.ts'
import { pass, refuse } from '../refusal.ts'
import type { Verdict } from '../refusal.ts'
import type { Scheme } from './challenge.ts'

/** The caller's credentials as text, within their size caps. */
export interface Presented {
  readonly scheme: Scheme
  readonly untrustedToken: string
  readonly untrustedProof: string | undefined
}

const MAX_TOKEN_CHARS = 16_384
const MAX_PROOF_CHARS = 8192
/** RFC 9110 §11.4: scheme, one or more spaces, token68. */
const AUTHORIZATION = /^([A-Za-z]+) +([A-Za-z0-9._~+/-]+=*)$/

/**
 * Takes the credentials from the header section, where each may stand once. Node joins a repeated `DPoP` and drops
 * a repeated `Authorization` without a word, so both are counted in the raw list (RFC 9449 §4.3 check 1).
 */
export function readPresented(headers: HeaderList): Verdict<Presented> {
  const authorizations = headers.count('authorization')
  if (authorizations === 0) return refuse('identity.missing', { detail: 'no Authorization header' })
  if (authorizations > 1)
    return refuse('identity.ambiguous', { detail: `${authorizations} Authorization headers` })
  const value = headers.get('authorization') ?? ''
  const scheme = schemeOf(value)
  if (scheme === undefined)
    return refuse('identity.missing', { detail: 'the scheme is neither DPoP nor Bearer' })
  const untrustedToken = AUTHORIZATION.exec(value)?.[2]
  if (untrustedToken === undefined) return invalidToken('is not token68')
  if (untrustedToken.length > MAX_TOKEN_CHARS) return invalidToken('is too long')
  const proofs = headers.count('dpop')
  if (proofs > 1) return invalidProof(`${proofs} DPoP headers`)
  const untrustedProof = headers.get('dpop')
  if (scheme === 'dpop' && untrustedProof === undefined) return invalidProof('no DPoP header')
  if ((untrustedProof?.length ?? 0) > MAX_PROOF_CHARS) return invalidProof('is too long')
  return pass({ scheme, untrustedToken, untrustedProof })
}

/** RFC 9110 §11.1: schemes are case-insensitive. */
export function schemeOf(untrustedAuthorization: string | undefined): Scheme | undefined {
  if (untrustedAuthorization === undefined) return undefined
  const end = untrustedAuthorization.indexOf(' ')
  const name = (end === -1 ? untrustedAuthorization : untrustedAuthorization.slice(0, end)).toLowerCase()
  return name === 'dpop' || name === 'bearer' ? name : undefined
}

function invalidToken(what: string): ReturnType<typeof refuse> {
  return refuse('identity.token_invalid', { detail: `access token: ${what}` })
}

function invalidProof(what: string): ReturnType<typeof refuse> {
  return refuse('identity.proof_invalid', { detail: `proof: ${what}` })
}
