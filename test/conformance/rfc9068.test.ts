import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RefusalCode } from '../../gateway/refusal.ts'
import { startIdentifyServer } from '../harness/identify-server.ts'
import type { Answer, IdentifyServer } from '../harness/identify-server.ts'
import { AUDIENCE, startIssuer } from '../harness/issuer.ts'
import type { Issuer, TokenOptions } from '../harness/issuer.ts'
import { createProofKey, signProof } from '../harness/proof.ts'
import { encode, signEncoded } from '../harness/signing.ts'
import type { Json } from '../harness/signing.ts'

const PATH = '/jira/rest/api/3/issue/CHG-18422'
const key = createProofKey()

let issuer: Issuer
let second: Issuer
let server: IdentifyServer

beforeAll(async () => {
  issuer = await startIssuer()
  second = await startIssuer({ algorithm: 'EdDSA' })
  server = await startIdentifyServer({ issuers: [issuer.config, second.config] })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await second[Symbol.asyncDispose]()
  await issuer[Symbol.asyncDispose]()
})

function present(token: string): Promise<Answer> {
  const proof = signProof({ key, method: 'GET', url: server.origin + PATH, token })
  return server.send({ path: PATH, headers: ['Authorization', `DPoP ${token}`, 'DPoP', proof] })
}

const seconds = (fromNow: number): number => Math.floor(Date.now() / 1000) + fromNow
const header = (members: Json): TokenOptions => ({ header: members })
const claims = (members: Json): TokenOptions => ({ claims: members })

describe('tokens that are accepted', () => {
  test.each<[section: string, what: string, options: TokenOptions]>([
    ['§2.1', 'typ with its full media type', header({ typ: 'application/at+jwt' })],
    ['§2.1', 'typ in another case', header({ typ: 'AT+JWT' })],
    [
      'RFC 7519 §4.1.3',
      'several audiences, one of them ours',
      claims({ aud: ['https://other.example', AUDIENCE] }),
    ],
    ['RFC 7519 §4.1.4', 'expired within the skew', claims({ exp: seconds(-3) })],
    ['RFC 7519 §4.1.5', 'not before, in the past', claims({ nbf: seconds(-60) })],
    ['RFC 7515 §4.1.4', 'no kid, when one key fits', header({ kid: undefined })],
  ])('%s: %s', async (_section, _what, options) => {
    expect(await present(issuer.token({ jkt: key.jkt, ...options }))).toMatchObject({ status: 200 })
  })

  test('of a second issuer, under its own name', async () => {
    const answer = await present(second.token({ jkt: key.jkt }))
    expect(answer.caller?.agent.issuer).toBe(second.issuer)
  })
})

describe('a token with one defect is refused', () => {
  test.each<[section: string, what: string, options: TokenOptions, detail: string, code?: RefusalCode]>([
    ['§4', 'typ is absent', header({ typ: undefined }), 'typ is not at+jwt'],
    ['§4', 'typ is JWT, as of an ID token', header({ typ: 'JWT' }), 'typ is not at+jwt'],
    ['§4', 'alg of another key type', header({ alg: 'RS256' }), 'alg is not allowed for this issuer'],
    ['RFC 7515 §4.1.4', 'kid is a number', header({ kid: 7 }), 'kid is not a string'],
    [
      'RFC 7515 §4.1.4',
      'kid is unknown',
      header({ kid: 'other' }),
      'no key of the issuer has this kid and alg',
    ],
    ['RFC 7515 §4.1.11', 'crit', header({ crit: ['exp'] }), 'crit is not supported'],
    ['§4', 'iss is another', claims({ iss: 'https://evil.example' }), 'iss is not a trusted issuer'],
    ['§2.2', 'iss is absent', claims({ iss: undefined }), 'iss is not a trusted issuer'],
    ['§2.2', 'aud is absent', claims({ aud: undefined }), 'aud'],
    ['§4', 'aud is another', claims({ aud: 'https://other.example' }), 'aud'],
    ['§4', 'aud is a list without us', claims({ aud: ['https://other.example'] }), 'aud'],
    ['§4', 'aud holds a number', claims({ aud: [AUDIENCE, 1] }), 'aud'],
    ['§2.2', 'exp is absent', claims({ exp: undefined }), 'exp'],
    ['RFC 7519 §4.1.4', 'exp is a string', claims({ exp: String(seconds(300)) }), 'exp'],
    ['§4', 'expired', { nowMs: Date.now() - 600_000 }, 'exp', 'identity.token_expired'],
    ['§2.2', 'iat is absent', claims({ iat: undefined }), 'iat'],
    ['RFC 7519 §4.1.6', 'issued in the future', claims({ iat: seconds(60) }), 'iat'],
    ['RFC 7519 §4.1.5', 'not valid yet', claims({ nbf: seconds(60) }), 'nbf'],
    ['RFC 7519 §4.1.5', 'nbf is a string', claims({ nbf: '0' }), 'nbf'],
    ['§2.2', 'sub is absent', claims({ sub: undefined }), 'sub'],
    ['RFC 7519 §4.1.2', 'sub is an array', claims({ sub: ['alice'] }), 'sub'],
    ['§2.2', 'sub has a line break', claims({ sub: 'alice\nadmin' }), 'sub'],
    ['§2.2', 'client_id is absent', claims({ client_id: undefined }), 'client_id'],
    ['§2.2', 'jti is absent', claims({ jti: undefined }), 'jti'],
    ['RFC 8693 §4.1', 'act is a string', claims({ act: 'agent' }), 'act'],
    ['RFC 8693 §4.1', 'act is five deep', claims({ act: actors(5) }), 'act'],
    [
      'RFC 9396 §2',
      'authorization_details is an object',
      claims({ authorization_details: {} }),
      'authorization_details',
    ],
    ['RFC 9396 §2', 'a detail has no type', claims({ authorization_details: [{}] }), 'authorization_details'],
    ['§2.2.3', 'scope is an array', claims({ scope: ['tools:read'] }), 'scope'],
    ['RFC 7800 §3.1', 'cnf is a string', claims({ cnf: key.jkt }), 'cnf'],
    ['RFC 7800 §3.1', 'cnf has a member we do not know', claims({ cnf: { jkt: key.jkt, kid: 'a' } }), 'cnf'],
    ['RFC 9449 §6.1', 'cnf.jkt is no digest', claims({ cnf: { jkt: 'short' } }), 'cnf'],
    ['RFC 7800 §3.1', 'cnf is empty', claims({ cnf: {} }), 'cnf'],
  ])('%s: %s', async (_section, _what, options, detail, code = 'identity.token_invalid') => {
    const answer = await present(issuer.token({ jkt: key.jkt, ...options }))
    const prefix = code === 'identity.token_invalid' ? 'access token: ' : ''
    expect(answer).toMatchObject({ status: 401, code, detail: prefix + detail })
    expect(answer.challenges).toEqual([expect.stringMatching(/^DPoP error="invalid_token", /)])
  })

  test('iss is an array whose text is that of a trusted issuer (RFC 7519 §4.1.1)', async () => {
    const answer = await present(issuer.token({ jkt: key.jkt, claims: { iss: [issuer.issuer] } }))
    expect(answer).toMatchObject({
      code: 'identity.token_invalid',
      detail: 'access token: iss is not a trusted issuer',
    })
  })

  test('signed by one trusted issuer in the name of another (§4)', async () => {
    const answer = await present(second.token({ jkt: key.jkt, claims: { iss: issuer.issuer } }))
    expect(answer).toMatchObject({ code: 'identity.token_invalid' })
  })

  test("signed by a key that only calls itself the issuer's (§4)", async () => {
    const [header = '', payload = ''] = issuer.token({ jkt: key.jkt }).split('.')
    const answer = await present(signEncoded(header, payload, createProofKey()))
    expect(answer).toMatchObject({ status: 401, detail: 'access token: the signature is wrong' })
  })

  test('alg is none (§2.1)', async () => {
    const [, payload = ''] = issuer.token({ jkt: key.jkt }).split('.')
    const answer = await present(`${encode({ typ: 'at+jwt', alg: 'none' })}.${payload}.AAAA`)
    expect(answer).toMatchObject({ detail: 'access token: alg is not allowed for this issuer' })
  })

  test('a MAC under the public key as its secret (RFC 8725 §2.1)', async () => {
    const [, payload = ''] = issuer.token({ jkt: key.jkt }).split('.')
    const input = `${encode({ typ: 'at+jwt', alg: 'HS256' })}.${payload}`
    const mac = createHmac('sha256', JSON.stringify(issuer.jwks().keys[0])).update(input).digest('base64url')
    expect(await present(`${input}.${mac}`)).toMatchObject({ code: 'identity.token_invalid' })
  })

  test('one claim twice, where parsers disagree which counts (RFC 7519 §4)', async () => {
    const [first = '', payload = ''] = issuer.token({ jkt: key.jkt }).split('.')
    const text = Buffer.from(payload, 'base64url').toString().replace('{', '{"sub":"admin",')
    const answer = await present(`${first}.${Buffer.from(text).toString('base64url')}.AAAA`)
    expect(answer.detail).toContain('reads in two ways')
  })

  test.each([
    ['padding', (token: string) => `${token}==`],
    ['the last character changed to one that decodes alike', alike],
    ['a fourth part', (token: string) => `${token}.AAAA`],
    [
      'the payload of another token',
      (token: string) => {
        const [first = '', , signature = ''] = token.split('.')
        const [, payload = ''] = issuer.token({ jkt: key.jkt, claims: { sub: 'admin' } }).split('.')
        return `${first}.${payload}.${signature}`
      },
    ],
  ])('the text of a good token with %s (RFC 7515 §2)', async (_what, change) => {
    const answer = await present(change(issuer.token({ jkt: key.jkt })))
    expect(answer).toMatchObject({ status: 401, code: 'identity.token_invalid' })
  })
})

describe('what a token says', () => {
  test('is read through the claim map: dotted path, pointer, groups as a string', async () => {
    const config = {
      ...issuer.config,
      claims: {
        agent: 'agent.id',
        principal: '/https:~1~1zyx.example~1user',
        tenant: 'org',
        groups: 'roles',
        deviceCompliant: 'device.ok',
      },
    }
    await using mapped = await startIdentifyServer({ issuers: [config] })
    const token = issuer.token({
      jkt: key.jkt,
      claims: {
        agent: { id: 'agent-7' },
        'https://zyx.example/user': 'bob',
        org: 'retail',
        roles: 'devsecops platform',
        device: { ok: true },
        act: { sub: 'current', act: { sub: 'before' } },
        authorization_details: [{ type: 'payment', amount: 5 }],
      },
    })
    const proof = signProof({ key, method: 'GET', url: mapped.origin + PATH, token })
    const { caller } = await mapped.send({
      path: PATH,
      headers: ['Authorization', `DPoP ${token}`, 'DPoP', proof],
    })
    expect(caller).toMatchObject({
      agent: { id: 'agent-7' },
      principal: {
        id: 'bob',
        groups: ['devsecops', 'platform'],
        deviceCompliant: true,
        act: ['current', 'before'],
      },
      tenant: 'retail',
      scopes: ['tools:read', 'tools:write'],
      authorizationDetails: [{ type: 'payment', amount: 5 }],
    })
  })

  test.each([['true'], [1], [null], [undefined], [[true]]])(
    'device_compliant %j is not true',
    async (value) => {
      const answer = await present(issuer.token({ jkt: key.jkt, claims: { device_compliant: value } }))
      expect(answer.caller?.principal.deviceCompliant).toBe(false)
    },
  )

  test('a scope that is missing is named in the challenge (RFC 6750 §3.1)', async () => {
    const config = { ...issuer.config, requiredScopes: ['tools:read', 'tools:admin'] }
    await using strict = await startIdentifyServer({ issuers: [config] })
    const token = issuer.token({ jkt: key.jkt })
    const proof = signProof({ key, method: 'GET', url: strict.origin + PATH, token })
    const answer = await strict.send({
      path: PATH,
      headers: ['Authorization', `DPoP ${token}`, 'DPoP', proof],
    })
    expect(answer).toMatchObject({ status: 403, code: 'identity.scope_insufficient' })
    expect(answer.challenges[0]).toMatch(
      /^DPoP error="insufficient_scope", error_description="[^"]+", scope="tools:read tools:admin", algs="[^"]+", resource_metadata="/,
    )
  })
})

function actors(depth: number): Json {
  return depth === 1 ? { sub: 'a' } : { sub: 'a', act: actors(depth - 1) }
}

function alike(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return token.slice(0, -1) + (alphabet[alphabet.indexOf(token.at(-1) ?? '') ^ 1] ?? '')
}
