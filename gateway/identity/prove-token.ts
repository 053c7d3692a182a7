import type { PeerCertificate } from '../caller.ts'
import type { Entrance } from '../config/entrance.ts'
import type { Clock } from '../lib/clock.ts'
import type { HeaderList } from '../lib/header-list.ts'
import type { Verdict } from '../refusal.ts'
import { pass } from '../refusal.ts'
import type { TokenVerifier, VerifiedToken } from './access-token.ts'
import type { BindingCheck, Bound } from './binding.ts'
import { digestOf } from './binding.ts'
import { parseCompact } from './compact.ts'
import { readPresented } from './presented.ts'

/** What of a request a token is proven with. */
export interface ProvingRequest {
  readonly headers: HeaderList
  readonly method: string
  /** Raw, before `?`. */
  readonly path: string
  readonly entrance: Entrance
  readonly certificate: PeerCertificate | undefined
}

/** A token, and how whoever sent it showed that it is theirs. */
export interface ProvenToken {
  readonly token: VerifiedToken
  readonly bound: Bound
}

/** What a token is proven against. */
export interface TokenProving {
  readonly clock: Clock
  readonly tokens: TokenVerifier
  readonly checkBinding: BindingCheck
}

/**
 * Takes the token of a request, believes it where an issuer signed it, and holds it to its `cnf`. Whether the proof was
 * used before is for the caller to say. The cheapest checks come first; answers at once unless keys have to be fetched.
 */
export function proveToken(
  proving: TokenProving,
  request: ProvingRequest,
): Verdict<ProvenToken> | Promise<Verdict<ProvenToken>> {
  const read = readPresented(request.headers)
  if (!read.ok) return read
  const presented = read.value
  const proof =
    presented.untrustedProof === undefined
      ? undefined
      : parseCompact(presented.untrustedProof, 'identity.proof_invalid')
  if (proof?.ok === false) return proof
  const digest = digestOf(presented.untrustedToken)
  const conclude = (verdict: Verdict<VerifiedToken>): Verdict<ProvenToken> => {
    if (!verdict.ok) return verdict
    const nowMs = proving.clock.nowMs()
    const evidence = { request, presented, proof: proof?.value, digest, nowMs }
    const bound = proving.checkBinding(verdict.value, evidence)
    return bound.ok ? pass({ token: verdict.value, bound: bound.value }) : bound
  }
  const verified = proving.tokens.verify(presented.untrustedToken, digest)
  return verified instanceof Promise ? verified.then(conclude) : conclude(verified)
}
