import type { Caller } from '../caller.ts'
import type { Identified, Received } from '../exchange.ts'
import type { VerifiedToken } from '../identity/access-token.ts'
import type { Bound } from '../identity/binding.ts'
import type { Identity } from '../identity/identity.ts'
import { proveToken } from '../identity/prove-token.ts'
import type { ProvenToken } from '../identity/prove-token.ts'
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
  const conclude = (verdict: Verdict<ProvenToken>): Verdict<Identified> => {
    if (!verdict.ok) return verdict
    const { token, bound } = verdict.value
    const caller = callerOf(token, bound)
    const { requiredScopes } = token.issuer.config
    const missing = requiredScopes.some((scope) => !caller.scopes.includes(scope))
    if (missing) return identity.challenged(refuse('identity.scope_insufficient'), received, requiredScopes)
    if (bound.binding === 'none') identity.noteUnbound(caller.agent.issuer)
    return pass({ ...received, caller })
  }
  const { headers, method, path, arrival } = received
  const proven = proveToken(identity, {
    headers,
    method,
    path,
    entrance: arrival.addressed?.entrance ?? 'prefix',
    certificate: certificate.value,
  })
  return proven instanceof Promise ? proven.then(conclude) : conclude(proven)
}

function callerOf(
  { facts, issuer, issuedAtMs, expiresAtMs }: VerifiedToken,
  { binding, key, proof }: Bound,
): Caller {
  return {
    agent: { id: facts.agentId, issuer: issuer.config.issuer, binding, key },
    principal: facts.principal,
    tenant: facts.tenant,
    scopes: facts.scopes,
    authorizationDetails: facts.authorizationDetails,
    tokenId: facts.tokenId,
    tokenIssuedAtMs: issuedAtMs,
    tokenExpiresAtMs: expiresAtMs,
    replay: proof?.replay,
    nextNonce: proof?.nextNonce,
  }
}
