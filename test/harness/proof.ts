import { createHash, randomUUID } from 'node:crypto'
import { breakProof } from './proof-defects.ts'
import type { ProofDefect } from './proof-defects.ts'
import { defined, signCompact } from './signing.ts'
import type { Json, ProofKey } from './signing.ts'

export { createProofKey } from './signing.ts'
export type { ProofKey } from './signing.ts'

export interface ProofOptions {
  readonly key: ProofKey
  readonly method: string
  /** Target URI as the caller knows it; query and fragment are cut off (RFC 9449 §4.2). */
  readonly url: string
  /** The access token, for `ath`. */
  readonly token?: string | undefined
  readonly nonce?: string | undefined
  readonly jti?: string
  readonly nowMs?: number
  /** The one thing that is wrong with this proof. */
  readonly defect?: ProofDefect
  /** Replaces single members; `undefined` leaves one out. */
  readonly header?: Json
  readonly claims?: Json
}

/** A DPoP proof (RFC 9449 §4.2): right in every way, but for the one defect that was asked for. */
export function signProof(options: ProofOptions): string {
  const issuedAt = Math.floor((options.nowMs ?? Date.now()) / 1000)
  const draft = {
    header: defined({
      typ: 'dpop+jwt',
      alg: options.key.algorithm,
      jwk: options.key.publicJwk,
      ...options.header,
    }),
    claims: defined({
      jti: options.jti ?? randomUUID(),
      htm: options.method,
      htu: options.url.replace(/[?#].*$/, ''),
      iat: issuedAt,
      ath:
        options.token === undefined
          ? undefined
          : createHash('sha256').update(options.token).digest('base64url'),
      nonce: options.nonce,
      ...options.claims,
    }),
    key: options.key,
  }
  return options.defect === undefined
    ? signCompact(draft.header, draft.claims, options.key)
    : breakProof(options.defect, draft)
}
