import { randomUUID } from 'node:crypto'
import type { JsonWebKey, KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { IssuerConfig, TokenAlgorithm } from '../../gateway/config/config.ts'
import { defined, generate, signCompact, signEncoded } from './signing.ts'
import type { Json } from './signing.ts'

export const AUDIENCE = 'https://gateway.test'

interface SigningKey {
  readonly kid: string
  readonly algorithm: TokenAlgorithm
  readonly privateKey: KeyObject
  readonly publicJwk: JsonWebKey
}

export interface TokenOptions {
  /** Binds the token to a DPoP key (RFC 9449 §6). */
  readonly jkt?: string | undefined
  /** Binds the token to a client certificate (RFC 8705 §3.1). */
  readonly x5t?: string | undefined
  /** Replaces single members; `undefined` leaves one out. */
  readonly claims?: Json
  readonly header?: Json
  readonly nowMs?: number
  readonly lifetimeMs?: number
}

export interface Issuer extends AsyncDisposable {
  /** The issuer identifier, also the origin of its key set. */
  readonly issuer: string
  readonly jwksUri: string
  /** As the gateway's configuration names this issuer; spread it to change a member. */
  readonly config: IssuerConfig
  /** How often the key set was asked for. */
  readonly fetches: () => number
  /** A signed RFC 9068 token: valid, of tenant `zyx`, in group `devsecops`, on a compliant device. */
  readonly token: (options?: TokenOptions) => string
  /** Signs any header and claims with the current key. */
  readonly signRaw: (header: Json, claims: Json) => string
  /** Signs two encoded parts that need not be JSON. */
  readonly signEncoded: (header: string, payload: string) => string
  /** New key, with the old ones kept in the set or dropped from it; returns the new `kid`. */
  readonly rotate: (old: 'keep' | 'drop') => string
  readonly jwks: () => { readonly keys: readonly Json[] }
  /** Answers for the key set until told otherwise: an outage, a huge or foreign document. */
  readonly answerWith: (listener: RequestListener | undefined) => void
}

/** Starts an issuer of access tokens with its key set on loopback, port chosen by the system. */
export async function startIssuer(options: { algorithm?: TokenAlgorithm } = {}): Promise<Issuer> {
  const algorithm = options.algorithm ?? 'ES256'
  let keys: readonly SigningKey[] = [signingKey(algorithm)]
  let fetches = 0
  let special: RequestListener | undefined
  const jwks = (): { readonly keys: readonly Json[] } => ({
    keys: keys.map((key) => ({ ...key.publicJwk, kid: key.kid, alg: key.algorithm, use: 'sig' })),
  })
  const server = createServer((request, response) => {
    fetches += 1
    if (special !== undefined) return special(request, response)
    response.setHeader('content-type', 'application/jwk-set+json')
    response.end(JSON.stringify(jwks()))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const current = (): SigningKey => keys.at(-1) as SigningKey

  return {
    issuer,
    jwksUri: `${issuer}/jwks`,
    config: issuerConfig(issuer, [algorithm]),
    fetches: () => fetches,
    jwks,
    token: (token = {}) => {
      const { header, claims } = draftToken(issuer, current(), token)
      return signCompact(header, claims, current())
    },
    signRaw: (header, claims) => signCompact(header, claims, current()),
    signEncoded: (header, payload) => signEncoded(header, payload, current()),
    rotate: (old) => {
      keys = [...(old === 'keep' ? keys : []), signingKey(algorithm)]
      return current().kid
    },
    answerWith: (listener) => {
      special = listener
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** An issuer as toolgate.yaml would describe it, with short waits. */
export function issuerConfig(issuer: string, algorithms: readonly TokenAlgorithm[]): IssuerConfig {
  return {
    issuer,
    audiences: [AUDIENCE],
    algorithms,
    jwks: {
      uri: `${issuer}/jwks`,
      cooldownMs: 30_000,
      timeoutMs: 2000,
      cacheMaxAgeMs: 600_000,
      staleIfErrorMs: 3_600_000,
      caFile: undefined,
    },
    claims: {
      agent: 'client_id',
      principal: 'sub',
      tenant: 'tenant',
      groups: 'groups',
      deviceCompliant: 'device_compliant',
    },
    requiredScopes: [],
    tenant: undefined,
    tenants: [],
    clockSkewMs: 5000,
  }
}

function draftToken(issuer: string, key: SigningKey, options: TokenOptions): { header: Json; claims: Json } {
  const issuedAt = Math.floor((options.nowMs ?? Date.now()) / 1000)
  const confirmation = { jkt: options.jkt, 'x5t#S256': options.x5t }
  const bound = options.jkt !== undefined || options.x5t !== undefined
  return {
    header: defined({ typ: 'at+jwt', alg: key.algorithm, kid: key.kid, ...options.header }),
    claims: defined({
      iss: issuer,
      aud: AUDIENCE,
      sub: 'alice@zyx.example',
      client_id: 'change-review-agent',
      iat: issuedAt,
      exp: issuedAt + Math.floor((options.lifetimeMs ?? 300_000) / 1000),
      jti: randomUUID(),
      scope: 'tools:read tools:write',
      tenant: 'zyx',
      groups: ['devsecops'],
      device_compliant: true,
      cnf: bound ? defined(confirmation) : undefined,
      ...options.claims,
    }),
  }
}

function signingKey(algorithm: TokenAlgorithm): SigningKey {
  const { publicKey, privateKey } = generate(algorithm)
  return { kid: randomUUID(), algorithm, privateKey, publicJwk: publicKey.export({ format: 'jwk' }) }
}
