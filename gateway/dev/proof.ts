import { createHash, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { CryptoKey, JWK } from 'jose'

/** A client's DPoP key; it stays in this process. */
export interface DpopKey {
  readonly privateKey: CryptoKey
  readonly publicJwk: JWK
  /** RFC 7638 thumbprint, the `jkt` that tokens are bound to. */
  readonly thumbprint: string
}

export async function createDpopKey(): Promise<DpopKey> {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const publicJwk = await exportJWK(publicKey)
  return { privateKey, publicJwk, thumbprint: await calculateJwkThumbprint(publicJwk) }
}

export interface ProofFor {
  readonly method: string
  /** The URL of the request; query and fragment are left out of `htu` (RFC 9449 §4.2). */
  readonly url: URL
  /** Binds the proof to this token by `ath`; absent at the token endpoint. */
  readonly accessToken?: string
  readonly nonce?: string | undefined
}

/** A fresh DPoP proof (RFC 9449 §4.2) for one request. */
export function createProof(key: DpopKey, { method, url, accessToken, nonce }: ProofFor): Promise<string> {
  const claims = {
    jti: randomUUID(),
    htm: method,
    htu: `${url.origin}${url.pathname}`,
    ...(accessToken === undefined
      ? {}
      : { ath: createHash('sha256').update(accessToken).digest('base64url') }),
    ...(nonce === undefined ? {} : { nonce }),
  }
  return new SignJWT(claims)
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: key.publicJwk })
    .setIssuedAt()
    .sign(key.privateKey)
}

/** The nonce that a 401 or 400 with `use_dpop_nonce` asks for (RFC 9449 §8, §9), if this reply is one. */
export async function demandedNonce(reply: Response): Promise<string | undefined> {
  const nonce = reply.headers.get('dpop-nonce')
  if (nonce === null || (reply.status !== 400 && reply.status !== 401)) return undefined
  if (/\buse_dpop_nonce\b/.test(reply.headers.get('www-authenticate') ?? '')) return nonce
  // The token endpoint has no challenge: its error is in the body.
  const body = await reply.clone().text()
  return /"error"\s*:\s*"use_dpop_nonce"/.test(body) ? nonce : undefined
}
