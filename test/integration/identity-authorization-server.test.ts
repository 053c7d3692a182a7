import { generateKeyPair as generateDpopKeyPair, generateProof } from 'dpop'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startAuthorizationServer } from '../harness/authorization-server.ts'
import type { AuthorizationServer } from '../harness/authorization-server.ts'
import { startIdentifyServer } from '../harness/identify-server.ts'
import type { IdentifyServer } from '../harness/identify-server.ts'
import { createPki } from '../harness/pki.ts'
import type { Pki } from '../harness/pki.ts'
import { createProofKey, signProof } from '../harness/proof.ts'
import { trustingFetch } from '../harness/trusting-fetch.ts'

let pki: Pki
let server: AuthorizationServer
let gateway: IdentifyServer

beforeAll(async () => {
  pki = createPki()
  server = await startAuthorizationServer({ pki })
  gateway = await startIdentifyServer({ issuers: [server.config], pki })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
  await pki[Symbol.asyncDispose]()
})

const PATH = '/github/repos/zyx/platform-infra'

describe('tokens of a real authorization server', () => {
  test('bound to a DPoP key are accepted with a proof of the key and refused with any other', async () => {
    const key = createProofKey()
    const token = await server.dpopToken(key)
    const call = (signer = key) =>
      gateway.send({
        path: PATH,
        headers: [
          'Authorization',
          `DPoP ${token}`,
          'DPoP',
          signProof({ key: signer, method: 'GET', url: gateway.origin + PATH, token }),
        ],
      })
    expect(await call()).toMatchObject({
      status: 200,
      caller: {
        agent: { id: 'dpop-agent', issuer: server.issuer, binding: 'dpop', key: key.jkt },
        tenant: 'zyx',
        principal: { groups: ['devsecops'], deviceCompliant: true },
      },
    })
    expect(await call(createProofKey())).toMatchObject({ code: 'identity.binding_mismatch' })
  })

  test('bound to a certificate are accepted over its connection and refused over any other', async () => {
    const certificate = pki.client({ uris: [server.spiffeId] })
    const token = await server.mtlsToken(certificate)
    const headers = ['Authorization', `Bearer ${token}`]
    expect(await gateway.send({ path: PATH, headers, client: certificate })).toMatchObject({
      status: 200,
      caller: { agent: { id: 'mtls-agent', binding: 'mtls', key: certificate.x5t } },
    })
    const renewed = pki.client({ uris: [server.spiffeId] })
    expect(await gateway.send({ path: PATH, headers, client: renewed })).toMatchObject({
      code: 'identity.binding_mismatch',
    })
  })
})

describe('clients that others wrote', () => {
  test('dpop signs proofs that are accepted', async () => {
    const keyPair = await generateDpopKeyPair('ES256')
    const token = await tokenFor(keyPair)
    const proof = await generateProof(keyPair, gateway.origin + PATH, 'GET', undefined, token)
    const answer = await gateway.send({
      path: PATH,
      headers: ['Authorization', `DPoP ${token}`, 'DPoP', proof],
    })
    expect(answer).toMatchObject({ status: 200 })
  })

  test.each(['ES256', 'Ed25519'] as const)('oauth4webapi with a key for %s', async (algorithm) => {
    const keyPair = await oauth.generateKeyPair(algorithm)
    const token = await tokenFor(keyPair)
    const url = new URL(gateway.origin + PATH)
    const response = await oauth.protectedResourceRequest(token, 'GET', url, undefined, undefined, {
      DPoP: oauth.DPoP({}, keyPair),
      [oauth.customFetch]: trustingFetch(pki),
    })
    expect(response.status).toBe(200)
  })

  test('oauth4webapi reads our challenges and retries with the nonce', async () => {
    await using strict = await startIdentifyServer({
      issuers: [server.config],
      pki,
      dpop: { nonce: 'required' },
    })
    const keyPair = await oauth.generateKeyPair('ES256')
    const token = await tokenFor(keyPair)
    const dpop = oauth.DPoP({}, keyPair)
    const request = () =>
      oauth.protectedResourceRequest(token, 'GET', new URL(strict.origin + PATH), undefined, undefined, {
        DPoP: dpop,
        [oauth.customFetch]: trustingFetch(pki),
      })
    const challenged = await request().catch((error: unknown) => error)
    expect(challenged).toBeInstanceOf(oauth.WWWAuthenticateChallengeError)
    expect(oauth.isDPoPNonceError(challenged)).toBe(true)
    expect((await request()).status).toBe(200)
  })

  test('openid-client, from discovery to the protected resource', async () => {
    const config = await openid.discovery(
      new URL(server.issuer),
      server.dpopClient.id,
      undefined,
      openid.ClientSecretBasic(server.dpopClient.secret),
      { [openid.customFetch]: trustingFetch(pki) },
    )
    const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
    const tokens = await openid.clientCredentialsGrant(
      config,
      { resource: server.resource, scope: 'tools:read' },
      { DPoP },
    )
    expect(tokens.token_type).toBe('dpop')
    const url = new URL(gateway.origin + PATH)
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
})

test('its keys are fetched over its own authority only', async () => {
  await using elsewhere = createPki()
  const jwks = { ...server.config.jwks, caFile: elsewhere.caFile }
  await using distrustful = await startIdentifyServer({ issuers: [{ ...server.config, jwks }] })
  await distrustful.identity.opened
  expect(distrustful.identity.status()[0]?.failure).toMatch(/certificate/)
})

async function tokenFor(keyPair: oauth.CryptoKeyPair): Promise<string> {
  const authorizationServer = await discover()
  const client = { client_id: server.dpopClient.id }
  const response = await oauth.clientCredentialsGrantRequest(
    authorizationServer,
    client,
    oauth.ClientSecretBasic(server.dpopClient.secret),
    new URLSearchParams({ resource: server.resource, scope: 'tools:read' }),
    { DPoP: oauth.DPoP({}, keyPair), [oauth.customFetch]: trustingFetch(pki) },
  )
  const tokens = await oauth.processClientCredentialsResponse(authorizationServer, client, response)
  return tokens.access_token
}

async function discover(): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(server.issuer)
  const response = await oauth.discoveryRequest(issuer, { [oauth.customFetch]: trustingFetch(pki) })
  return oauth.processDiscoveryResponse(issuer, response)
}
