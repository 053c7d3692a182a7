import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { EmbeddedJWK, createLocalJWKSet, jwtVerify } from 'jose'
import type { JSONWebKeySet } from 'jose'
import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startIdentifyServer } from '../harness/identify-server.ts'
import type { IdentifyServer } from '../harness/identify-server.ts'
import { AUDIENCE, startIssuer } from '../harness/issuer.ts'
import type { Issuer } from '../harness/issuer.ts'
import { createProofKey } from '../harness/proof.ts'
import { encode, signEncoded } from '../harness/signing.ts'
import type { Json } from '../harness/signing.ts'

/** Both were written by others; where either says no, we have to say no too. */
/** jose counts in whole seconds, and asks a moment later. */
const WHOLE_SECONDS = 2
const PATH = '/confluence/wiki/rest/api/content/1'
const key = createProofKey()

let issuer: Issuer
let server: IdentifyServer

beforeAll(async () => {
  issuer = await startIssuer()
  server = await startIdentifyServer({ issuers: [issuer.config] })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await issuer[Symbol.asyncDispose]()
})

interface Mutation {
  readonly document: 'token' | 'proof'
  readonly part: 'header' | 'claims'
  readonly name: string
  /** Applied to the member before signing; `undefined` leaves it out. */
  readonly change: (value: unknown) => unknown
  /** Writes the member a second time, before the changed one. */
  readonly twice: boolean
  /** Applied to the signed text. */
  readonly mangle: (compact: string) => string
}

const HEADER_MEMBERS = 'typ alg kid jwk crit b64 jku x5u x5c zip cty'
const CLAIMS =
  'iss aud exp nbf iat sub client_id jti cnf scope act authorization_details htm htu ath nonce __proto__ constructor'
const NAMES = { header: HEADER_MEMBERS.split(' '), claims: CLAIMS.split(' ') }

const change: fc.Arbitrary<(value: unknown) => unknown> = fc.oneof(
  fc.constantFrom<(value: unknown) => unknown>(
    (value) => value,
    () => undefined,
    (value) => [value],
    (value) => ({ value }),
    (value) => String(value),
    (value) => (typeof value === 'string' ? value.toUpperCase() : value),
    (value) => (typeof value === 'string' ? ` ${value}` : value),
    (value) => (typeof value === 'string' ? `${value}/` : value),
    (value) => (typeof value === 'string' ? `${value}?a=b` : value),
    (value) => (typeof value === 'string' ? `${value}#a` : value),
    (value) => (typeof value === 'string' ? value.replace('//', '//user@') : value),
    (value) => (typeof value === 'string' ? value.replace('wiki', '%77iki') : value),
    (value) => (typeof value === 'string' ? value.replace('/wiki', '/x/../wiki') : value),
    (value) => (typeof value === 'string' ? value.replaceAll('/', '\\') : value),
    (value) => (typeof value === 'object' ? { ...value, extra: 1 } : value),
    (value) => (typeof value === 'object' ? { ...value, d: key.privateJwk.d } : value),
  ),
  fc
    .integer({ min: -4000, max: 4000 })
    .map((by) => (value: unknown) => (typeof value === 'number' ? value + by : value)),
  fc.jsonValue().map((replacement) => () => replacement),
)

const mangle: fc.Arbitrary<(compact: string) => string> = fc.oneof(
  { weight: 6, arbitrary: fc.constant((compact: string) => compact) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.nat(2000), fc.constantFrom('A', 'b', '0', '-', '_', '=', '.', ' ', '+', '/'))
      .map(([at, character]) => (compact: string) => {
        const index = at % compact.length
        return compact.slice(0, index) + character + compact.slice(index + 1)
      }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      (c: string) => `${c}=`,
      (c: string) => `${c}.`,
      (c: string) => `${c}A`,
    ),
  },
)

const mutation: fc.Arbitrary<Mutation> = fc
  .record({
    document: fc.constantFrom<Mutation['document']>('token', 'proof'),
    part: fc.constantFrom<Mutation['part']>('header', 'claims'),
    index: fc.nat(100),
    change,
    twice: fc.integer({ min: 0, max: 9 }).map((roll) => roll === 0),
    mangle,
  })
  .map(({ index, ...rest }) => ({
    ...rest,
    name: NAMES[rest.part][index % NAMES[rest.part].length] ?? 'typ',
  }))

test('what we accept, jose and oauth4webapi accept', async () => {
  let accepted = 0
  let refused = 0
  await fc.assert(
    fc.asyncProperty(mutation, async (mutated) => {
      const token = build('token', mutated, tokenParts())
      const proof = build('proof', mutated, proofParts(token))
      const answer = await server
        .send({ path: PATH, headers: ['Authorization', `DPoP ${token}`, 'DPoP', proof] })
        .catch(() => undefined)
      if (answer?.status !== 200) {
        refused += 1
        return
      }
      accepted += 1
      await expect(joseAccepts(token, proof)).resolves.toBe(true)
      await expect(oauthAccepts(token, proof)).resolves.toBe(true)
    }),
    { numRuns: 600 },
  )
  // Neither side of the property may be empty.
  expect(accepted).toBeGreaterThan(30)
  expect(refused).toBeGreaterThan(150)
})

interface Parts {
  readonly header: Json
  readonly claims: Json
  readonly sign: (header: string, claims: string) => string
}

function tokenParts(): Parts {
  const [header = '', claims = ''] = issuer.token({ jkt: key.jkt }).split('.')
  return { header: decode(header), claims: decode(claims), sign: issuer.signEncoded }
}

function proofParts(token: string): Parts {
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: key.publicJwk }
  const claims = {
    jti: crypto.randomUUID(),
    htm: 'GET',
    htu: server.origin + PATH,
    iat: Math.floor(Date.now() / 1000),
    ath: digest(token),
  }
  return { header, claims, sign: (first, second) => signEncoded(first, second, key) }
}

function build(document: Mutation['document'], mutated: Mutation, { header, claims, sign }: Parts): string {
  const parts = { header: encode(header), claims: encode(claims) }
  if (mutated.document !== document) return sign(parts.header, parts.claims)
  const members = mutated.part === 'header' ? header : claims
  // Own members, whatever the name: an assignment to `__proto__` would be lost.
  const entries = Object.entries(members).filter(([name]) => name !== mutated.name)
  const changed = mutated.change(members[mutated.name])
  const text = [...entries, ...(changed === undefined ? [] : [[mutated.name, changed] as const])]
    .flatMap(([name, value]) => {
      const member = `${JSON.stringify(name)}:${JSON.stringify(value)}`
      return mutated.twice && name === mutated.name ? [`${JSON.stringify(name)}:"first"`, member] : [member]
    })
    .join(',')
  parts[mutated.part] = Buffer.from(`{${text}}`).toString('base64url')
  return mutated.mangle(sign(parts.header, parts.claims))
}

async function joseAccepts(token: string, proof: string): Promise<boolean> {
  const verified = await jwtVerify(token, createLocalJWKSet(keySet()), {
    issuer: issuer.issuer,
    audience: AUDIENCE,
    typ: 'at+jwt',
    algorithms: ['ES256'],
    requiredClaims: ['iss', 'aud', 'exp', 'iat', 'sub', 'client_id', 'jti'],
    clockTolerance: 5 + WHOLE_SECONDS,
  })
  await jwtVerify(proof, EmbeddedJWK, {
    typ: 'dpop+jwt',
    algorithms: ['ES256'],
    requiredClaims: ['jti', 'htm', 'htu', 'iat', 'ath'],
    maxTokenAge: 60,
    clockTolerance: 10 + WHOLE_SECONDS,
  })
  return verified.payload.sub !== undefined
}

async function oauthAccepts(token: string, proof: string): Promise<boolean> {
  const request = new Request(server.origin + PATH, {
    headers: { authorization: `DPoP ${token}`, dpop: proof },
  })
  const metadata: oauth.AuthorizationServer = { issuer: issuer.issuer, jwks_uri: issuer.jwksUri }
  const claims = await oauth.validateJwtAccessToken(metadata, request, AUDIENCE, {
    requireDPoP: true,
    signingAlgorithms: ['ES256'],
    [oauth.allowInsecureRequests]: true,
    [oauth.customFetch]: async () => Response.json(keySet()),
  })
  return claims.cnf?.jkt === key.jkt
}

function keySet(): JSONWebKeySet {
  return JSON.parse(JSON.stringify(issuer.jwks())) as JSONWebKeySet
}

function decode(part: string): Json {
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as Json
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}
