import type { Caller } from '../caller.ts'
import type { Identified, Received } from '../exchange.ts'
import type { VerifiedToken } from '../identity/access-token.ts'
import { digestOf } from '../identity/binding.ts'
import type { Bound } from '../identity/binding.ts'
import { parseCompact } from '../identity/compact.ts'
import type { Identity } from '../identity/identity.ts'
import { readPresented } from '../identity/presented.ts'
import { pass, refuse } from '../refusal.ts'
import type { Verdict } from '../refusal.ts'

/**
 * The second stage: who calls, for whom, and proven how (RFC 9068, RFC 9449, RFC 8705). The checks run cheapest
 * first; the one that changes state, the replay of the proof, is left to admit, which asks the store once for
 * everything. Answers at once unless keys have to be fetched.
 */
export function createIdentify(
  identity: Identity,
): (received: Received) => Verdict<Identified> | Promise<Verdict<Identified>> {
  return (received) => {
    const challenged = (verdict: Verdict<Identified>): Verdict<Identified> =>
      verdict.ok || verdict.refusal.headers !== undefined ? verdict : identity.challenged(verdict, received)
    const verdict = identify(identity, received)
    return verdict instanceof Promise ? verdict.then(challenged) : challenged(verdict)
  }
}

function identify(
  identity: Identity,
  received: Received,
): Verdict<Identified> | Promise<Verdict<Identified>> {
  const certificate = identity.certificateOfCaller(received)
  if (!certificate.ok) return certificate
  const read = readPresented(received.headers)
  if (!read.ok) return read
  const presented = read.value
  const proof =
    presented.untrustedProof === undefined
      ? undefined
      : parseCompact(presented.untrustedProof, 'identity.proof_invalid')
  if (proof?.ok === false) return proof
  const digest = digestOf(presented.untrustedToken)
  const conclude = (verdict: Verdict<VerifiedToken>): Verdict<Identified> => {
    if (!verdict.ok) return verdict
    const nowMs = identity.clock.nowMs()
    const evidence = {
      received,
      presented,
      proof: proof?.value,
      certificate: certificate.value,
      digest,
      nowMs,
    }
    const bound = identity.checkBinding(verdict.value, evidence)
    if (!bound.ok) return bound
    const caller = callerOf(verdict.value, bound.value)
    const { requiredScopes } = verdict.value.issuer.config
    const missing = requiredScopes.some((scope) => !caller.scopes.includes(scope))
    if (missing) return identity.challenged(refuse('identity.scope_insufficient'), received, requiredScopes)
    if (bound.value.binding === 'none') identity.noteUnbound(caller.agent.issuer)
    return pass({ ...received, caller })
  }
  const verified = identity.tokens.verify(presented.untrustedToken, digest)
  return verified instanceof Promise ? verified.then(conclude) : conclude(verified)
}

function callerOf({ facts, issuer, expiresAtMs }: VerifiedToken, { binding, key, proof }: Bound): Caller {
  return {
    agent: { id: facts.agentId, issuer: issuer.config.issuer, binding, key },
    principal: facts.principal,
    tenant: facts.tenant,
    scopes: facts.scopes,
    authorizationDetails: facts.authorizationDetails,
    tokenId: facts.tokenId,
    tokenExpiresAtMs: expiresAtMs,
    replay: proof?.replay,
    nextNonce: proof?.nextNonce,
  }
}
