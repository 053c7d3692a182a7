import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startIdentifyServer } from '../harness/identify-server.ts'
import type { IdentifyServer } from '../harness/identify-server.ts'
import { startIssuer } from '../harness/issuer.ts'
import type { Issuer } from '../harness/issuer.ts'
import { createPki } from '../harness/pki.ts'
import { createProofKey, signProof } from '../harness/proof.ts'
import type { ProofKey } from '../harness/proof.ts'

const PATH = '/slack/api/chat.postMessage'
const ALGS = 'algs="ES256 EdDSA PS256 RS256"'

let issuer: Issuer
let server: IdentifyServer
let key: ProofKey
let token: string
const proof = (more: { readonly nonce?: string } = {}): string =>
  signProof({ key, method: 'GET', url: server.origin + PATH, token, ...more })
const metadata = (): string => `resource_metadata="${server.origin}/.well-known/oauth-protected-resource"`

beforeAll(async () => {
  issuer = await startIssuer()
  server = await startIdentifyServer({ issuers: [issuer.config] })
  key = createProofKey()
  token = issuer.token({ jkt: key.jkt })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await issuer[Symbol.asyncDispose]()
})

describe('how credentials are presented (RFC 9449 §4.3 check 1, §7)', () => {
  test('none: the challenge names what is accepted and no error', async () => {
    const answer = await server.send({ path: PATH })
    expect(answer).toMatchObject({ status: 401, code: 'identity.missing' })
    expect(answer.challenges).toEqual([`DPoP ${ALGS}, ${metadata()}`])
  })

  test('another scheme counts as none', async () => {
    const answer = await server.send({ path: PATH, headers: ['Authorization', 'Basic YTpi'] })
    expect(answer).toMatchObject({ status: 401, code: 'identity.missing' })
  })

  test('two Authorization headers are an invalid request, even two equal ones', async () => {
    const both = ['Authorization', `DPoP ${token}`, 'authorization', `DPoP ${token}`]
    const answer = await server.send({ path: PATH, headers: [...both, 'DPoP', proof()] })
    expect(answer).toMatchObject({ status: 400, code: 'identity.ambiguous' })
    expect(answer.challenges[0]).toMatch(/^DPoP error="invalid_request", /)
  })

  test('two DPoP headers are an invalid proof, even two good ones', async () => {
    const headers = ['Authorization', `DPoP ${token}`, 'DPoP', proof(), 'dpop', proof()]
    const answer = await server.send({ path: PATH, headers })
    expect(answer).toMatchObject({ status: 401, code: 'identity.proof_invalid' })
    expect(answer.challenges[0]).toMatch(/^DPoP error="invalid_dpop_proof", /)
  })

  test('two proofs in one header are an invalid proof', async () => {
    const headers = ['Authorization', `DPoP ${token}`, 'DPoP', `${proof()}, ${proof()}`]
    expect(await server.send({ path: PATH, headers })).toMatchObject({ code: 'identity.proof_invalid' })
  })

  test('a DPoP-bound token without a proof is refused', async () => {
    const answer = await server.send({ path: PATH, headers: ['Authorization', `DPoP ${token}`] })
    expect(answer).toMatchObject({ status: 401, code: 'identity.proof_invalid' })
  })

  test('the scheme is case-insensitive and may be followed by several spaces', async () => {
    const headers = ['authorization', `dPoP   ${token}`, 'DPOP', proof()]
    expect(await server.send({ path: PATH, headers })).toMatchObject({ status: 200 })
  })

  test.each([
    ['no token after the scheme', 'DPoP'],
    ['a comma in the token', 'DPoP a.b.c,DPoP d.e.f'],
    ['a space in the token', 'DPoP a.b .c'],
  ])('%s is an invalid token', async (_what, value) => {
    const answer = await server.send({ path: PATH, headers: ['Authorization', value, 'DPoP', proof()] })
    expect(answer).toMatchObject({ status: 401, code: 'identity.token_invalid' })
    expect(answer.challenges[0]).toMatch(/^DPoP error="invalid_token", /)
  })

  test('a token over 16 KiB is refused before it is parsed', async () => {
    const headers = ['Authorization', `DPoP ${'a'.repeat(16_385)}`, 'DPoP', proof()]
    const answer = await server.send({ path: PATH, headers })
    expect(answer).toMatchObject({ code: 'identity.token_invalid', detail: 'access token: is too long' })
  })

  test('a proof over 8 KiB is refused before it is parsed', async () => {
    const headers = ['Authorization', `DPoP ${token}`, 'DPoP', 'a'.repeat(8193)]
    const answer = await server.send({ path: PATH, headers })
    expect(answer).toMatchObject({ code: 'identity.proof_invalid', detail: 'proof: is too long' })
  })
})

describe('the binding of the token (RFC 9449 §6, §7)', () => {
  test('a DPoP-bound token as a bearer token is a downgrade (§7.2)', async () => {
    const answer = await server.send({ path: PATH, headers: ['Authorization', `Bearer ${token}`] })
    expect(answer).toMatchObject({ status: 401, code: 'identity.binding_mismatch' })
    expect(answer.challenges).toEqual([
      `DPoP error="invalid_token", error_description="Invalid DPoP key binding", ${ALGS}, ${metadata()}`,
    ])
  })

  test('the same with a good proof beside it', async () => {
    const headers = ['Authorization', `Bearer ${token}`, 'DPoP', proof()]
    expect(await server.send({ path: PATH, headers })).toMatchObject({ code: 'identity.binding_mismatch' })
  })

  test('a token that is bound to nothing is refused under the DPoP scheme', async () => {
    token = issuer.token()
    const headers = ['Authorization', `DPoP ${token}`, 'DPoP', proof()]
    expect(await server.send({ path: PATH, headers })).toMatchObject({ code: 'identity.token_unbound' })
    token = issuer.token({ jkt: key.jkt })
  })

  test('where certificates are accepted, the error stands in the scheme that was used only (§7.2)', async () => {
    await using pki = createPki()
    await using secure = await startIdentifyServer({ issuers: [issuer.config], pki })
    const answer = await secure.send({ path: PATH, headers: ['Authorization', `Bearer ${token}`] })
    expect(answer.challenges).toEqual([
      expect.stringMatching(/^DPoP algs="[^"]+", resource_metadata="[^"]+"$/),
      expect.stringMatching(/^Bearer error="invalid_token", error_description="[^"]+", resource_metadata="/),
    ])
  })
})

describe('replay (RFC 9449 §11.1) is told to the stage that owns the store', () => {
  test('as the hash of jti under the thumbprint, until the proof could no longer be accepted', async () => {
    const jti = 'one-time'
    const signed = signProof({ key, method: 'GET', url: server.origin + PATH, token, jti })
    const { iat } = JSON.parse(Buffer.from(signed.split('.')[1] ?? '', 'base64url').toString()) as {
      iat: number
    }
    const answer = await server.send({
      path: PATH,
      headers: ['Authorization', `DPoP ${token}`, 'DPoP', signed],
    })
    expect(answer.caller?.replay).toEqual({
      key: `${key.jkt}:${await sha256(jti)}`,
      expiresAtMs: iat * 1000 + 70_000,
    })
  })
})

describe('nonces (RFC 9449 §8, §9)', () => {
  test('a call without one is given one, with which it passes', async () => {
    await using strict = await startIdentifyServer({ issuers: [issuer.config], dpop: { nonce: 'required' } })
    const call = (nonce?: string) =>
      strict.send({
        path: PATH,
        headers: [
          'Authorization',
          `DPoP ${token}`,
          'DPoP',
          signProof({ key, method: 'GET', url: strict.origin + PATH, token, nonce }),
        ],
      })
    const first = await call()
    expect(first).toMatchObject({ status: 401, code: 'identity.nonce_required' })
    expect(first.challenges[0]).toMatch(/^DPoP error="use_dpop_nonce", /)
    expect(first.headers['cache-control']).toBe('no-store')
    const nonce = first.headers['dpop-nonce']
    expect(nonce).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(await call(String(nonce))).toMatchObject({ status: 200 })
    expect(await call('made-up')).toMatchObject({ code: 'identity.nonce_required' })
  })

  test('the previous nonce still passes and the next one comes with it; the one before does not', async () => {
    let nowMs = Date.now()
    const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs }
    await using strict = await startIdentifyServer({
      issuers: [issuer.config],
      dpop: { nonce: 'required', maxAgeMs: 60_000 },
      nonceKey: Buffer.alloc(32, 1),
      clock,
    })
    const call = (nonce?: string) =>
      strict.send({
        path: PATH,
        headers: [
          'Authorization',
          `DPoP ${token}`,
          'DPoP',
          signProof({ key, method: 'GET', url: strict.origin + PATH, token, nonce }),
        ],
      })
    const nonce = String((await call()).headers['dpop-nonce'])
    expect((await call(nonce)).caller?.nextNonce).toBeUndefined()
    nowMs += 60_000
    const later = await call(nonce)
    expect(later.status).toBe(200)
    expect(later.caller?.nextNonce).toBe((await call()).headers['dpop-nonce'])
    nowMs += 60_000
    expect(await call(nonce)).toMatchObject({ code: 'identity.nonce_required' })
  })
})

async function sha256(text: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(text))).toString('base64url')
}
