import { hash } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { DpopConfig, TokenAlgorithm } from '../config/config.ts'
import type { ReplayCheck } from '../caller.ts'
import { pass, refuse } from '../refusal.ts'
import type { Verdict } from '../refusal.ts'
import { createBoundedMap } from './bounded-map.ts'
import type { Compact, JsonObject } from './compact.ts'
import type { DpopNonces } from './dpop-nonce.ts'
import { importPublicJwk, readPublicJwk } from './public-jwk.ts'
import type { PublicJwk } from './public-jwk.ts'
import { misshapenClaim } from './registered-claims.ts'
import { verifySignature, withAliases } from './signature.ts'

/** What the proof has to be about. */
export interface ProofSubject {
  readonly method: string
  readonly isTarget: (untrustedHtu: string) => boolean
  /** base64url SHA-256 of the access token as it was presented. */
  readonly ath: string
  /** `cnf.jkt` of that token. */
  readonly jkt: string
}

export interface AcceptedProof {
  readonly replay: ReplayCheck
  /** Set when the nonce used is about to go out of use. */
  readonly nextNonce: string | undefined
}

export type ProofCheck = (proof: Compact, subject: ProofSubject, nowMs: number) => Verdict<AcceptedProof>

/** Keys of agents; one is 200 to 600 bytes. */
const MAX_KEYS = 10_000
const MAX_JTI_CHARS = 256

/**
 * RFC 9449 §4.3, checks 4 to 12, cheapest first and the signature last: a proof by a foreign key, for another
 * request or out of its time then costs no elliptic curve. Replay is for the store to say, once all this holds.
 */
export function createProofCheck(config: DpopConfig, nonces: DpopNonces | undefined): ProofCheck {
  const algorithms = withAliases(config.algorithms)
  const imported = createBoundedMap<string, KeyObject>(MAX_KEYS)

  return ({ header, claims, signingInput, signature }, subject, nowMs) => {
    const keyed = readProofHeader(header, algorithms)
    if (!keyed.ok) return keyed
    const { jwk, algorithm } = keyed.value
    // RFC 9449 §7.1: the proof may be right in itself; it is the token that is bound to another key.
    if (jwk.thumbprint !== subject.jkt) {
      return refuse('identity.binding_mismatch', { detail: 'proof: jwk is not the key of cnf.jkt' })
    }
    const timed = checkClaims(claims, subject, config, nonces, nowMs)
    if (!timed.ok) return timed
    const known = imported.get(jwk.thumbprint)
    const key = known ?? importOrNothing(jwk)
    if (key === undefined || !verifySignature(algorithm, signingInput, key, signature)) {
      return invalid('the signature is wrong')
    }
    // Only now: unsigned proofs would otherwise push the keys of real agents out.
    if (known === undefined) imported.set(jwk.thumbprint, key)
    return timed
  }
}

interface ProofHeader {
  readonly jwk: PublicJwk
  readonly algorithm: TokenAlgorithm
}

function readProofHeader(header: JsonObject, algorithms: readonly TokenAlgorithm[]): Verdict<ProofHeader> {
  // RFC 9449 §4.3 check 4. Exact: the type is ours alone, and no client writes it otherwise.
  if (header['typ'] !== 'dpop+jwt') return invalid('typ')
  // Check 5: never `none`, never symmetric, because the list knows neither.
  const algorithm = algorithms.find((allowed) => allowed === header['alg'])
  if (algorithm === undefined) return invalid('alg')
  for (const name of ['crit', 'b64', 'x5u', 'jku']) {
    if (Object.hasOwn(header, name)) return invalid(`${name} is not supported`)
  }
  // Check 7: no private key; also none that is too short, and none in a second spelling.
  const jwk = readPublicJwk(header['jwk'])
  if (jwk === undefined) return invalid('jwk')
  return jwk.algorithms.includes(algorithm) ? pass({ jwk, algorithm }) : invalid('alg does not fit jwk')
}

function checkClaims(
  claims: JsonObject,
  { method, isTarget, ath, jkt }: ProofSubject,
  config: DpopConfig,
  nonces: DpopNonces | undefined,
  nowMs: number,
): Verdict<AcceptedProof> {
  const misshapen = misshapenClaim(claims)
  if (misshapen !== undefined) return invalid(misshapen)
  const { jti, htm, htu, iat, nonce } = claims
  // Check 3.
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_CHARS) return invalid('jti')
  // Check 8: methods are case-sensitive (RFC 9110 §9.1).
  if (htm !== method) return invalid('htm')
  // Check 9.
  if (typeof htu !== 'string' || !isTarget(htu)) return invalid('htu')
  // Check 11.
  if (typeof iat !== 'number') return invalid('iat')
  const issuedAtMs = iat * 1000
  if (nonces === undefined && isOutOfTime(issuedAtMs, config, nowMs))
    return invalid('iat is out of the window')
  if (isOutsideItsOwnTime(claims, config, nowMs)) return invalid('exp or nbf')
  // Check 12: the token that came with it and no other.
  if (claims['ath'] !== ath) return invalid('ath')
  // Check 10. A nonce has a time of its own, which spares agents without a good clock.
  if (nonces !== undefined && (typeof nonce !== 'string' || !nonces.accepts(nonce, nowMs))) {
    return refuse('identity.nonce_required', { detail: 'proof: nonce' })
  }
  return pass({
    replay: {
      // By key first: another agent must not be able to use up this one's identifiers.
      key: `${jkt}:${hash('sha256', jti, 'base64url')}`,
      expiresAtMs: nonces?.expiresAtMs(nowMs) ?? issuedAtMs + config.maxAgeMs + config.maxSkewMs,
    },
    nextNonce: nonces === undefined || nonces.current(nowMs) === nonce ? undefined : nonces.current(nowMs),
  })
}

function isOutOfTime(issuedAtMs: number, { maxAgeMs, maxSkewMs }: DpopConfig, nowMs: number): boolean {
  return issuedAtMs < nowMs - maxAgeMs || issuedAtMs > nowMs + maxSkewMs
}

/** A proof need not have `exp` or `nbf`; one that does has said for itself when it is good (RFC 7519 §4.1.4, §4.1.5). */
function isOutsideItsOwnTime({ exp, nbf }: JsonObject, { maxSkewMs }: DpopConfig, nowMs: number): boolean {
  const isOver = typeof exp === 'number' && exp * 1000 + maxSkewMs <= nowMs
  const isYetToCome = typeof nbf === 'number' && nbf * 1000 > nowMs + maxSkewMs
  return isOver || isYetToCome
}

function importOrNothing(jwk: PublicJwk): KeyObject | undefined {
  try {
    return importPublicJwk(jwk)
  } catch {
    // Not a point of its curve.
    return undefined
  }
}

function invalid(what: string): ReturnType<typeof refuse> {
  return refuse('identity.proof_invalid', { detail: `proof: ${what}` })
}
