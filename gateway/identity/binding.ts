import { hash } from 'node:crypto'
import { pass, refuse } from '../refusal.ts'
import type { Verdict } from '../refusal.ts'
import type { VerifiedToken } from './access-token.ts'
import type { Compact } from './compact.ts'
import type { AcceptedProof, ProofCheck } from './dpop-proof.ts'
import type { TargetCheck } from './dpop-target.ts'
import type { Presented } from './presented.ts'
import type { ProvingRequest } from './prove-token.ts'

/** How the caller showed that the token is its own. */
export type Bound =
  | { readonly binding: 'dpop'; readonly key: string; readonly proof: AcceptedProof }
  | { readonly binding: 'mtls'; readonly key: string; readonly proof: undefined }
  | { readonly binding: 'none'; readonly key: ''; readonly proof: undefined }

export interface BindingCheckOptions {
  readonly checkProof: ProofCheck
  readonly isTarget: TargetCheck
  readonly allowUnbound: boolean
}

interface BindingEvidence {
  readonly request: ProvingRequest
  readonly presented: Presented
  readonly proof: Compact | undefined
  /** base64url SHA-256 of the access token. */
  readonly digest: string
  readonly nowMs: number
}

export type BindingCheck = (token: VerifiedToken, evidence: BindingEvidence) => Verdict<Bound>

/**
 * Holds the token to every condition in its `cnf`: `jkt` needs a proof and the DPoP scheme, `x5t#S256` needs the
 * certificate, both need both. A scheme or proof that the token did not ask for is a downgrade or a mix-up.
 */
export function createBindingCheck(options: BindingCheckOptions): BindingCheck {
  return ({ confirmation: { jkt, x5t } }, evidence) => {
    const { scheme, untrustedProof } = evidence.presented
    if (jkt === undefined && x5t === undefined) {
      if (!options.allowUnbound || scheme !== 'bearer')
        return refuse('identity.token_unbound', { detail: 'no cnf' })
    }
    // RFC 9449 §7.2: a DPoP-bound token presented as a bearer token MUST be refused.
    if (jkt !== undefined && scheme !== 'dpop')
      return mismatch('a DPoP-bound token came with the Bearer scheme')
    // RFC 9449 §7.1: and so must one under the DPoP scheme that is not bound to a key.
    if (jkt === undefined && scheme === 'dpop') return mismatch('the token has no cnf.jkt')
    if (jkt === undefined && untrustedProof !== undefined) {
      return refuse('identity.proof_invalid', {
        detail: 'proof: sent with a token that is not bound to a key',
      })
    }
    const held = x5t === undefined || holdsCertificate(evidence, x5t)
    if (!held) return mismatch('the token is not bound to the certificate of this connection')
    if (jkt !== undefined) return proven(options, evidence, jkt)
    return x5t === undefined
      ? pass({ binding: 'none', key: '', proof: undefined })
      : pass({ binding: 'mtls', key: x5t, proof: undefined })
  }
}

/** RFC 8705 §3. The end of validity is checked for each call: the handshake may be hours old. */
function holdsCertificate({ request: { certificate }, nowMs }: BindingEvidence, x5t: string): boolean {
  return certificate !== undefined && certificate.x5t === x5t && certificate.notAfterMs > nowMs
}

function proven(
  { checkProof, isTarget }: BindingCheckOptions,
  evidence: BindingEvidence,
  jkt: string,
): Verdict<Bound> {
  const { request, proof, digest, nowMs } = evidence
  if (proof === undefined) return refuse('identity.proof_invalid', { detail: 'proof: none' })
  const subject = {
    method: request.method,
    isTarget: (untrustedHtu: string) => isTarget(untrustedHtu, request.path, request.entrance),
    ath: digest,
    jkt,
  }
  const accepted = checkProof(proof, subject, nowMs)
  return accepted.ok ? pass({ binding: 'dpop', key: jkt, proof: accepted.value }) : accepted
}

/** base64url SHA-256 of a token: `ath` of its proof (RFC 9449 §4.2) and its key in the cache. */
export function digestOf(untrustedToken: string): string {
  return hash('sha256', untrustedToken, 'base64url')
}

function mismatch(detail: string): ReturnType<typeof refuse> {
  return refuse('identity.binding_mismatch', { detail })
}
