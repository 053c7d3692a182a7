import { decodeJwt } from 'jose'
import * as oauth from 'oauth4webapi'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startIssuer } from '../../../gateway/dev/issuer.ts'
import type { DevelopmentIssuer } from '../../../gateway/dev/issuer.ts'
import { createDpopKey, createProof } from '../../../gateway/dev/proof.ts'
import { createTokenSource } from '../../../gateway/dev/token-source.ts'

const audience = 'http://127.0.0.1:8080'
const adminAudience = 'http://127.0.0.1:9090'
const insecure = { [oauth.allowInsecureRequests]: true }
let issuer: DevelopmentIssuer

beforeEach(async () => {
  issuer = await startIssuer({ audience, adminAudience })
})
afterEach(() => issuer[Symbol.asyncDispose]())

async function tokenRequest(
  form: Record<string, string>,
  headers: Record<string, string>,
): Promise<Response> {
  return fetch(`${issuer.origin}/token`, { method: 'POST', body: new URLSearchParams(form), headers })
}

async function validProof(): Promise<string> {
  return createProof(await createDpopKey(), { method: 'POST', url: new URL(`${issuer.origin}/token`) })
}

const valid = { grant_type: 'client_credentials', client_id: 'change-review-agent' }

describe('the development issuer', () => {
  it('gives a client of another make a token that its resource server accepts', async () => {
    const server = await oauth.processDiscoveryResponse(
      new URL(issuer.origin),
      await oauth.discoveryRequest(new URL(issuer.origin), { algorithm: 'oauth2', ...insecure }),
    )
    const client: oauth.Client = { client_id: 'change-review-agent' }
    const keys = await oauth.generateKeyPair('ES256')
    const DPoP = oauth.DPoP(client, keys)
    const reply = await oauth.clientCredentialsGrantRequest(
      server,
      client,
      oauth.None(),
      { resource: audience },
      { DPoP, ...insecure },
    )
    const { access_token: token, token_type: type } = await oauth.processClientCredentialsResponse(
      server,
      client,
      reply,
    )
    expect(type).toBe('dpop')
    let sent: Request | undefined
    await oauth.protectedResourceRequest(
      token,
      'GET',
      new URL(`${audience}/github/zen`),
      undefined,
      undefined,
      {
        DPoP,
        ...insecure,
        [oauth.customFetch]: (url, init) => {
          sent = new Request(url, { method: init.method, headers: init.headers })
          return Promise.resolve(new Response())
        },
      },
    )
    const claims = await oauth.validateJwtAccessToken(server, sent ?? new Request(audience), audience, {
      requireDPoP: true,
      ...insecure,
    })
    expect(claims).toMatchObject({
      sub: 'dana@zyx.example',
      client_id: 'change-review-agent',
      tenant: 'zyx-bank',
      groups: ['devsecops-change-review'],
      device_compliant: true,
    })
  })

  it.each([
    ['outsider', { client_id: 'change-review-agent', groups: ['marketing'], device_compliant: true }],
    [
      'unmanaged-device',
      { client_id: 'change-review-agent', sub: 'dana@zyx.example', device_compliant: false },
    ],
    ['release-agent', { client_id: 'release-agent', groups: ['release-engineering'] }],
  ])('knows the persona %s', async (persona, claims) => {
    const key = await createDpopKey()
    const token = await createTokenSource({ issuer: issuer.origin, key, persona })()
    expect(decodeJwt(token)).toMatchObject({
      ...claims,
      iss: issuer.origin,
      aud: audience,
      cnf: { jkt: key.thumbprint },
    })
  })

  it.each([
    ['another grant', { ...valid, grant_type: 'password' }, 'unsupported_grant_type'],
    ['another audience', { ...valid, resource: 'https://elsewhere.example' }, 'invalid_target'],
    ['another scope', { ...valid, scope: 'everything' }, 'invalid_scope'],
    ['an unknown client', { ...valid, client_id: 'nobody' }, 'invalid_client'],
    ['a persona of another client', { ...valid, persona: 'release-agent' }, 'invalid_client'],
  ])('refuses %s', async (_, form, error) => {
    expect(await (await tokenRequest(form, { DPoP: await validProof() })).json()).toMatchObject({ error })
  })

  it('refuses a request without proof, with a proof for another address, and with a used one', async () => {
    const elsewhere = await createProof(await createDpopKey(), {
      method: 'POST',
      url: new URL(`${issuer.origin}/jwks`),
    })
    const used = await validProof()
    expect((await tokenRequest(valid, { DPoP: used })).status).toBe(200)
    for (const headers of [{}, { DPoP: elsewhere }, { DPoP: used }]) {
      const reply = await tokenRequest(valid, headers)
      expect([reply.status, await reply.json()]).toMatchObject([400, { error: 'invalid_dpop_proof' }])
    }
  })

  it('gives people tokens for the admin listener, and for nothing that agents call', async () => {
    const form = { grant_type: 'client_credentials', person: 'priya' }
    const reply = (await (await tokenRequest(form, {})).json()) as { access_token: string }
    const claims = decodeJwt(reply.access_token)
    expect(claims).toMatchObject({
      aud: adminAudience,
      sub: 'priya@zyx.example',
      client_id: 'toolgate-cli',
      groups: ['change-approvers'],
    })
    expect(claims).not.toHaveProperty('cnf')
    for (const wrong of [{ person: 'nobody' }, { resource: audience }, { scope: 'tools' }])
      expect((await tokenRequest({ ...form, ...wrong }, {})).status).toBe(400)
  })

  it('serves no browser page, whatever address it uses', async () => {
    const reply = await tokenRequest(valid, { DPoP: await validProof(), Origin: 'https://page.example' })
    expect(reply.status).toBe(403)
  })

  it.each(['0.0.0.0', '::', '192.0.2.1', 'issuer.example'])('does not start on %s', async (host) => {
    await expect(startIssuer({ audience, adminAudience, host })).rejects.toThrow('loopback only')
  })

  it('gives a token once to many who ask at the same time', async () => {
    let requests = 0
    const counting: typeof fetch = (input, init) => {
      if (init?.method === 'POST') requests += 1
      return fetch(input, init)
    }
    const source = createTokenSource({
      issuer: issuer.origin,
      key: await createDpopKey(),
      persona: 'outsider',
      fetch: counting,
    })
    const tokens = await Promise.all([source(), source(), source()])
    expect(new Set([...tokens, await source()]).size).toBe(1)
    expect(requests).toBe(1)
  })
})
