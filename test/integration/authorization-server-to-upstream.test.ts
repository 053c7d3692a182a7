import { createHash } from 'node:crypto'
import { generateKeyPair, generateProof } from 'dpop'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AuthorizationServer, startAuthorizationServer } from '../harness/authorization-server.ts'
import { freePorts } from '../harness/free-ports.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import { ALLOW_EVERYTHING } from '../harness/permissive-rules.ts'
import { createPki, type Pki } from '../harness/pki.ts'
import { discover, dpopToken, mtlsToken, type Parties } from '../harness/token-client.ts'
import { trustingFetch } from '../harness/trusting-fetch.ts'

/** From the gateway's own metadata to a call at the upstream, with nothing but what the network says. */
const PULL = '/github/repos/zyx/platform-infra/pulls/991'

let stack: AsyncDisposableStack
let pki: Pki
let server: AuthorizationServer
let toolgate: TestGateway
let strict: TestGateway
beforeAll(async () => {
  await using starting = new AsyncDisposableStack()
  pki = starting.use(createPki())
  server = starting.use(await startAuthorizationServer({ pki }))
  const bundle = await compileRules(ALLOW_EVERYTHING)
  const start = async (port: number, nonce: 'off' | 'required'): Promise<TestGateway> =>
    starting.use(
      await startTestGateway({
        pki,
        bundle,
        issuers: [
          {
            issuer: server.issuer,
            audiences: [`https://127.0.0.1:${port}`],
            jwks: { uri: server.jwksUri, caFile: pki.caFile },
            tenants: ['zyx'],
          },
        ],
        settings: {
          listen: { port, externalOrigins: [`https://127.0.0.1:${port}`] },
          identity: { dpop: { nonce } },
        },
      }),
    )
  const [first = 0, second = 0] = await freePorts(2)
  toolgate = await start(first, 'off')
  strict = await start(second, 'required')
  stack = starting.move()
})
afterAll(() => stack.disposeAsync())

function parties(gateway = toolgate): Parties {
  return { gateway: gateway.origin, pki, server }
}

async function whoOf(callId: string | null): Promise<unknown> {
  const [decision] = await toolgate.recordsOf(String(callId))
  return decision?.type === 'decision' ? decision.who : undefined
}

describe('a DPoP-bound token', () => {
  it('takes oauth4webapi from discovery to the upstream', async () => {
    const keyPair = await oauth.generateKeyPair('ES256')
    const token = await dpopToken(parties(), keyPair)
    const response = await oauth.protectedResourceRequest(
      token,
      'GET',
      new URL(toolgate.origin + PULL),
      undefined,
      undefined,
      { DPoP: oauth.DPoP({}, keyPair), [oauth.customFetch]: trustingFetch(pki) },
    )
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ number: 991 })
    expect(await whoOf(response.headers.get('toolgate-call-id'))).toMatchObject({
      agent: server.dpopClient.id,
      issuer: server.issuer,
      binding: 'dpop',
    })
  })

  it('takes the dpop package there', async () => {
    const keyPair = await generateKeyPair('ES256')
    const token = await dpopToken(parties(), keyPair)
    const proof = await generateProof(keyPair, toolgate.origin + PULL, 'GET', undefined, token)
    expect(await toolgate.send('GET', PULL, { token, proof })).toMatchObject({
      status: 200,
      decision: 'allow',
    })
  })

  it('takes openid-client there', async () => {
    const config = await openid.discovery(
      new URL(server.issuer),
      server.dpopClient.id,
      undefined,
      openid.ClientSecretBasic(server.dpopClient.secret),
      { [openid.customFetch]: trustingFetch(pki) },
    )
    const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
    const { resource } = await discover(toolgate.origin, pki)
    const tokens = await openid.clientCredentialsGrant(config, { resource, scope: 'tools:read' }, { DPoP })
    const url = new URL(toolgate.origin + PULL)
    const response = await openid.fetchProtectedResource(
      config,
      tokens.access_token,
      url,
      'GET',
      undefined,
      undefined,
      { DPoP },
    )
    expect(response.status).toBe(200)
  })

  it('is worth nothing without its key, as Bearer, or twice with one proof', async () => {
    const keyPair = await generateKeyPair('ES256')
    const token = await dpopToken(parties(), keyPair)
    const thief = await generateKeyPair('ES256')
    const url = toolgate.origin + PULL
    const stolen = await generateProof(thief, url, 'GET', undefined, token)
    expect(await toolgate.send('GET', PULL, { token, proof: stolen })).toMatchObject({
      status: 401,
      code: 'identity.binding_mismatch',
    })
    expect(await toolgate.send('GET', PULL, { token, proof: null })).toMatchObject({
      status: 401,
      decision: 'deny',
    })
    const proof = await generateProof(keyPair, url, 'GET', undefined, token)
    await toolgate.send('GET', PULL, { token, proof })
    expect(await toolgate.send('GET', PULL, { token, proof })).toMatchObject({
      status: 401,
      code: 'identity.proof_replayed',
    })
  })

  it('is worth nothing at another resource of the same issuer', async () => {
    const keyPair = await generateKeyPair('ES256')
    const token = await dpopToken(parties(strict), keyPair)
    const proof = await generateProof(keyPair, toolgate.origin + PULL, 'GET', undefined, token)
    expect(await toolgate.send('GET', PULL, { token, proof })).toMatchObject({
      code: 'identity.token_invalid',
    })
  })
})

describe('where a nonce is demanded', () => {
  it('oauth4webapi reads the challenge and comes back with it', async () => {
    const keyPair = await oauth.generateKeyPair('ES256')
    const token = await dpopToken(parties(strict), keyPair)
    const DPoP = oauth.DPoP({}, keyPair)
    const request = (): Promise<Response> =>
      oauth.protectedResourceRequest(token, 'GET', new URL(strict.origin + PULL), undefined, undefined, {
        DPoP,
        [oauth.customFetch]: trustingFetch(pki),
      })
    const challenged = await request().catch((error: unknown) => error)
    expect(oauth.isDPoPNonceError(challenged)).toBe(true)
    const seen = strict.fakes.github.requests.length
    const response = await request()
    expect(response.status).toBe(200)
    expect(strict.fakes.github.requests).toHaveLength(seen + 1)
    expect((await request()).status).toBe(200)
  })
})

describe('a token bound to a certificate', () => {
  it('is good over connections of that certificate, and over no other', async () => {
    const certificate = pki.client({ uris: [server.spiffeId] })
    const token = await mtlsToken(parties(), certificate)
    const bearer = { token, proof: null } as const
    const answer = await toolgate.send('GET', PULL, { ...bearer, client: certificate })
    expect(answer).toMatchObject({ status: 200, decision: 'allow' })
    expect(await whoOf(answer.callId)).toMatchObject({
      agent: server.mtlsClient.id,
      binding: 'mtls',
      key: createHash('sha256').update(certificate.der).digest('base64url'),
    })
    const another = pki.client({ uris: [server.spiffeId] })
    for (const client of [another, undefined]) {
      const refused = await toolgate.send('GET', PULL, { ...bearer, ...(client && { client }) })
      expect(refused).toMatchObject({ status: 401, code: 'identity.binding_mismatch' })
      expect(refused.headers['www-authenticate']).toMatch(/Bearer error="invalid_token"/)
    }
  })

  it('takes oauth4webapi there as a plain bearer', async () => {
    const certificate = pki.client({ uris: [server.spiffeId] })
    const token = await mtlsToken(parties(), certificate)
    const response = await oauth.protectedResourceRequest(
      token,
      'GET',
      new URL(toolgate.origin + PULL),
      undefined,
      undefined,
      { [oauth.customFetch]: trustingFetch(pki, certificate) },
    )
    expect(response.status).toBe(200)
  })

  it('cannot be had by, nor used with, a certificate of another authority', async () => {
    await using elsewhere = createPki()
    const certificate = elsewhere.client({ uris: [server.spiffeId] })
    await expect(mtlsToken(parties(), certificate)).rejects.toMatchObject({ error: 'invalid_client' })
    const token = toolgate.token({ jkt: undefined, x5t: certificate.x5t })
    const answer = await toolgate.send('GET', PULL, { token, proof: null, client: certificate })
    expect(answer).toMatchObject({ status: 401, code: 'identity.binding_mismatch' })
  })
})
