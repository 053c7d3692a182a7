import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeCertificate } from '../../gateway/identity/certificate.ts'
import { startIdentifyServer } from '../harness/identify-server.ts'
import type { IdentifyServer } from '../harness/identify-server.ts'
import { startIssuer } from '../harness/issuer.ts'
import type { Issuer } from '../harness/issuer.ts'
import { createPki } from '../harness/pki.ts'
import type { Certified, Pki } from '../harness/pki.ts'
import { createProofKey, signProof } from '../harness/proof.ts'

const PATH = '/github/user'

let issuer: Issuer
let pki: Pki
let server: IdentifyServer
let agent: Certified

beforeAll(async () => {
  issuer = await startIssuer()
  pki = createPki()
  server = await startIdentifyServer({ issuers: [issuer.config], pki })
  agent = pki.client({ uris: ['spiffe://zyx.example/agent/reviewer'] })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await pki[Symbol.asyncDispose]()
  await issuer[Symbol.asyncDispose]()
})

const bearer = (token: string): string[] => ['Authorization', `Bearer ${token}`]

describe('a certificate-bound token (RFC 8705 §3)', () => {
  test('is accepted as a bearer token over the connection of its certificate', async () => {
    const headers = bearer(issuer.token({ x5t: agent.x5t }))
    const answer = await server.send({ path: PATH, headers, client: agent })
    expect(answer).toMatchObject({ status: 200, caller: { agent: { binding: 'mtls', key: agent.x5t } } })
    expect(answer.caller?.replay).toBeUndefined()
  })

  test('is refused over the connection of another certificate', async () => {
    const headers = bearer(issuer.token({ x5t: agent.x5t }))
    const answer = await server.send({ path: PATH, headers, client: pki.client() })
    expect(answer).toMatchObject({ status: 401, code: 'identity.binding_mismatch' })
    expect(answer.challenges[1]).toMatch(
      /^Bearer error="invalid_token", error_description="Invalid certificate binding", /,
    )
  })

  test('is refused without a certificate', async () => {
    const headers = bearer(issuer.token({ x5t: agent.x5t }))
    expect(await server.send({ path: PATH, headers })).toMatchObject({ code: 'identity.binding_mismatch' })
  })

  test('is refused over a certificate that another authority issued', async () => {
    await using elsewhere = createPki()
    const foreign = elsewhere.client()
    const headers = bearer(issuer.token({ x5t: foreign.x5t }))
    const answer = await server.send({ path: PATH, headers, client: foreign })
    expect(answer).toMatchObject({ code: 'identity.binding_mismatch' })
  })

  test('is refused once the certificate is past its end, on a connection made before', async () => {
    let nowMs = Date.now()
    const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs }
    await using aging = await startIdentifyServer({ issuers: [issuer.config], pki, clock })
    const brief = pki.client({ notAfter: new Date(nowMs + 60_000) })
    const headers = bearer(issuer.token({ x5t: brief.x5t }))
    expect(await aging.send({ path: PATH, headers, client: brief })).toMatchObject({ status: 200 })
    nowMs += 61_000
    const late = await aging.send({ path: PATH, headers, client: brief })
    expect(late).toMatchObject({ code: 'identity.binding_mismatch' })
  })

  test('is refused under the DPoP scheme', async () => {
    const key = createProofKey()
    const token = issuer.token({ x5t: agent.x5t })
    const proof = signProof({ key, method: 'GET', url: server.origin + PATH, token })
    const headers = ['Authorization', `DPoP ${token}`, 'DPoP', proof]
    const answer = await server.send({ path: PATH, headers, client: agent })
    expect(answer).toMatchObject({ code: 'identity.binding_mismatch' })
  })

  test('is refused with a proof that nothing asked for', async () => {
    const token = issuer.token({ x5t: agent.x5t })
    const proof = signProof({ key: createProofKey(), method: 'GET', url: server.origin + PATH, token })
    const answer = await server.send({
      path: PATH,
      headers: [...bearer(token), 'DPoP', proof],
      client: agent,
    })
    expect(answer).toMatchObject({ code: 'identity.proof_invalid' })
  })
})

test('two DPoP headers are not taken for none', async () => {
  const token = issuer.token({ x5t: agent.x5t })
  const headers = [...bearer(token), 'DPoP', 'a', 'DPoP', 'b']
  const answer = await server.send({ path: PATH, headers, client: agent })
  expect(answer).toMatchObject({ code: 'identity.proof_invalid' })
})

describe('a token bound to both a key and a certificate', () => {
  const key = createProofKey()
  const call = (client: Certified | undefined) => {
    const token = issuer.token({ jkt: key.jkt, x5t: agent.x5t })
    const proof = signProof({ key, method: 'GET', url: server.origin + PATH, token })
    return server.send({ path: PATH, headers: ['Authorization', `DPoP ${token}`, 'DPoP', proof], client })
  }

  test('needs both', async () => {
    expect(await call(agent)).toMatchObject({
      status: 200,
      caller: { agent: { binding: 'dpop', key: key.jkt } },
    })
  })

  test('is refused when the certificate is missing', async () => {
    expect(await call(undefined)).toMatchObject({ code: 'identity.binding_mismatch' })
  })
})

describe('an unbound token', () => {
  test('is refused', async () => {
    const answer = await server.send({ path: PATH, headers: bearer(issuer.token()), client: agent })
    expect(answer).toMatchObject({ status: 401, code: 'identity.token_unbound' })
  })

  test('is accepted where the dangerous option is set, and seen by a metric', async () => {
    await using lax = await startIdentifyServer({
      issuers: [issuer.config],
      identity: { dangerouslyAllowUnboundTokens: true },
    })
    const answer = await lax.send({ path: PATH, headers: bearer(issuer.token()) })
    expect(answer).toMatchObject({ status: 200, caller: { agent: { binding: 'none', key: '' } } })
    expect(lax.events).toContain('unboundTokenAccepted')
  })

  test('bound ones are held to their binding even then', async () => {
    await using lax = await startIdentifyServer({
      issuers: [issuer.config],
      identity: { dangerouslyAllowUnboundTokens: true },
    })
    const token = issuer.token({ jkt: createProofKey().jkt })
    expect(await lax.send({ path: PATH, headers: bearer(token) })).toMatchObject({
      code: 'identity.binding_mismatch',
    })
  })
})

test('the thumbprint of the certificate printed in RFC 8705 Appendix A is the one printed there', () => {
  const certificate = new X509Certificate(`-----BEGIN CERTIFICATE-----
MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAx
ODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ
/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwID
SQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOV
bUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=
-----END CERTIFICATE-----`)
  expect(describeCertificate(certificate).x5t).toBe('A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0')
})
