import type { IssuerConfig, TokenAlgorithm } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import { pass, refuse } from '../refusal.ts'
import type { Verdict } from '../refusal.ts'
import type { BoundedMap } from './bounded-map.ts'
import type { Compact } from './compact.ts'
import { parseCompact } from './compact.ts'
import { readConfirmation } from './confirmation.ts'
import type { Confirmation } from './confirmation.ts'
import { findKey } from './key-set.ts'
import type { IssuerKey } from './key-set.ts'
import type { IdentityEvents, KeySource } from './key-source.ts'
import { misshapenClaim } from './registered-claims.ts'
import { verifySignature, withAliases } from './signature.ts'
import type { FactsReading, TokenFacts } from './token-facts.ts'
import { isId } from './token-facts.ts'

/** An issuer that the configuration trusts, with its keys and the tokens of it that were verified lately. */
export interface TrustedIssuer {
  readonly config: IssuerConfig
  readonly keys: KeySource
  readonly readFacts: (claims: Compact['claims']) => FactsReading
  readonly verified: BoundedMap<string, VerifiedToken>
}

/** A token whose signature, issuer and shape were right; its times are checked again at every use. */
export interface VerifiedToken {
  readonly issuer: TrustedIssuer
  readonly facts: TokenFacts
  readonly confirmation: Confirmation
  readonly issuedAtMs: number
  readonly expiresAtMs: number
  readonly notBeforeMs: number
  /** {@link KeySource.generation} that vouched for it. */
  readonly generation: number
  readonly verifiedAtMs: number
}

export interface TokenVerifier {
  /**
   * @param untrustedToken what followed the scheme, within its size cap
   * @param digest base64url SHA-256 of exactly that: the key of the cache. Never a claim, which another token can
   *   repeat (CVE-2026-35039)
   * @returns a promise only when keys have to be fetched first
   */
  verify(untrustedToken: string, digest: string): Verdict<VerifiedToken> | Promise<Verdict<VerifiedToken>>
}

/** A verified token is verified again after this long, whatever it says of its own life. */
const CACHE_MS = 300_000
const KEYS_RETRY_MS = 1000
/** RFC 9068 §2.1; RFC 7515 §4.1.9 lets the prefix be left out. Media types are case-insensitive. */
const TYPES = new Set<unknown>(['at+jwt', 'application/at+jwt'])

/** Verifies RFC 9068 access tokens of several issuers. */
export function createTokenVerifier(
  issuers: readonly TrustedIssuer[],
  clock: Clock,
  onLookup: IdentityEvents['tokenLookedUp'],
): TokenVerifier {
  const byIdentifier = new Map<unknown, TrustedIssuer>(
    issuers.map((issuer) => [issuer.config.issuer, issuer]),
  )

  const verifyNew = (untrustedToken: string, digest: string): ReturnType<TokenVerifier['verify']> => {
    const parsed = parseCompact(untrustedToken, 'identity.token_invalid')
    if (!parsed.ok) return parsed
    // RFC 9068 §4: the issuer has to match exactly. An array here would match by its text, so only a string can.
    const issuer = byIdentifier.get(parsed.value.claims['iss'])
    if (issuer === undefined) return invalid('iss is not a trusted issuer')
    const header = readHeader(parsed.value, issuer.config)
    if (!header.ok) return header
    const conclude = (): Verdict<VerifiedToken> => {
      const keys = issuer.keys.usable()
      if (keys === undefined) return keysUnavailable(issuer)
      const key = findKey(keys, header.value.kid, header.value.algorithm)
      if (key === undefined) return invalid('no key of the issuer has this kid and alg')
      const verdict = verifyWith(key, header.value.algorithm, parsed.value, issuer, clock.nowMs())
      if (verdict.ok) issuer.verified.set(digest, verdict.value)
      return verdict
    }
    const lacking = lacksKey(issuer, header.value)
    const refreshing = lacking || issuer.keys.due() ? issuer.keys.refresh() : undefined
    // Only a key that is not there is waited for: a key server that hangs would else hold up every new token.
    return lacking && refreshing !== undefined ? refreshing.then(conclude) : conclude()
  }

  return {
    verify(untrustedToken, digest) {
      const nowMs = clock.nowMs()
      for (const issuer of issuers) {
        const held = issuer.verified.get(digest)
        if (held === undefined) continue
        if (isCurrent(held, nowMs)) {
          onLookup('hit')
          return recheck(held, nowMs)
        }
        issuer.verified.delete(digest)
      }
      onLookup('miss')
      return verifyNew(untrustedToken, digest)
    },
  }
}

function isCurrent(held: VerifiedToken, nowMs: number): boolean {
  const ageMs = nowMs - held.verifiedAtMs
  return held.generation === held.issuer.keys.generation() && ageMs >= 0 && ageMs < CACHE_MS
}

/** What time alone can change since the signature was verified. */
function recheck(held: VerifiedToken, nowMs: number): Verdict<VerifiedToken> {
  if (held.issuer.keys.usable() === undefined) return keysUnavailable(held.issuer)
  return checkTimes(held, nowMs) ?? pass(held)
}

function lacksKey(issuer: TrustedIssuer, { kid, algorithm }: TokenHeader): boolean {
  const keys = issuer.keys.usable()
  return keys === undefined || findKey(keys, kid, algorithm) === undefined
}

interface TokenHeader {
  readonly kid: string | undefined
  readonly algorithm: TokenAlgorithm
}

function readHeader({ header }: Compact, config: IssuerConfig): Verdict<TokenHeader> {
  const { typ, alg, kid } = header
  // RFC 9068 §4: anything but `at+jwt` may be an ID token or a logout token of the same issuer.
  if (typeof typ !== 'string' || !TYPES.has(typ.toLowerCase())) return invalid('typ is not at+jwt')
  const algorithm = withAliases(config.algorithms).find((allowed) => allowed === alg)
  if (algorithm === undefined) return invalid('alg is not allowed for this issuer')
  if (kid !== undefined && typeof kid !== 'string') return invalid('kid is not a string')
  // RFC 7515 §4.1.11: an extension that must be understood, and is not.
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) return invalid('crit is not supported')
  return pass({ kid, algorithm })
}

function verifyWith(
  { key }: IssuerKey,
  algorithm: TokenAlgorithm,
  { claims, signingInput, signature }: Compact,
  issuer: TrustedIssuer,
  nowMs: number,
): Verdict<VerifiedToken> {
  if (!verifySignature(algorithm, signingInput, key, signature)) return invalid('the signature is wrong')
  const misshapen = misshapenClaim(claims)
  if (misshapen !== undefined) return invalid(misshapen)
  const { aud, exp, iat, nbf, sub, client_id: clientId, cnf } = claims
  // RFC 9068 §2.2: all of these are required; `jti` and the mapped claims are read with the facts.
  if (!isId(sub)) return invalid('sub')
  if (!isId(clientId)) return invalid('client_id')
  if (!isMeantFor(aud, issuer.config.audiences)) return invalid('aud')
  if (typeof exp !== 'number') return invalid('exp')
  if (typeof iat !== 'number' || iat * 1000 > nowMs + issuer.config.clockSkewMs) return invalid('iat')
  const confirmation = readConfirmation(cnf)
  if (confirmation === undefined) return invalid('cnf')
  const reading = issuer.readFacts(claims)
  if (!reading.ok) return invalid(reading.claim)
  const token: VerifiedToken = Object.freeze({
    issuer,
    facts: reading.facts,
    confirmation,
    issuedAtMs: iat * 1000,
    expiresAtMs: exp * 1000,
    notBeforeMs: typeof nbf === 'number' ? nbf * 1000 : -Infinity,
    generation: issuer.keys.generation(),
    verifiedAtMs: nowMs,
  })
  return checkTimes(token, nowMs) ?? pass(token)
}

/** RFC 7519 §4.1.4, §4.1.5. `undefined` when the token is valid now. */
function checkTimes(token: VerifiedToken, nowMs: number): ReturnType<typeof refuse> | undefined {
  const skewMs = token.issuer.config.clockSkewMs
  if (token.expiresAtMs + skewMs <= nowMs) return refuse('identity.token_expired', { detail: 'exp' })
  return token.notBeforeMs > nowMs + skewMs ? invalid('nbf') : undefined
}

/** RFC 7519 §4.1.3: one audience, or a list that names us among others. */
function isMeantFor(aud: unknown, audiences: readonly string[]): boolean {
  if (typeof aud === 'string') return audiences.includes(aud)
  return Array.isArray(aud) && aud.some((one) => audiences.includes(one))
}

function keysUnavailable(issuer: TrustedIssuer): ReturnType<typeof refuse> {
  const detail = `no usable keys of ${issuer.config.issuer}`
  return refuse('identity.keys_unavailable', { detail, retryAfterMs: KEYS_RETRY_MS })
}

function invalid(what: string): ReturnType<typeof refuse> {
  return refuse('identity.token_invalid', { detail: `access token: ${what}` })
}
