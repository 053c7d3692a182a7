import { constants, sign } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startIdentifyServer } from '../harness/identify-server.ts'
import type { IdentifyServer } from '../harness/identify-server.ts'
import { startIssuer } from '../harness/issuer.ts'
import type { Issuer } from '../harness/issuer.ts'
import { createProofKey, signProof } from '../harness/proof.ts'
import { PROOF_DEFECTS } from '../harness/proof-defects.ts'
import type { ProofDefect } from '../harness/proof-defects.ts'

const PATH = '/github/repos/zyx/platform-infra/pulls/991'
const CHALLENGE =
  /^DPoP error="invalid_dpop_proof", error_description="[^"]+", algs="ES256 EdDSA PS256 RS256", resource_metadata="[^"]+"$/

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

describe('a proof that is right in every way', () => {
  test.each(['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'] as const)(
    'is accepted with %s',
    async (algorithm) => {
      const key = createProofKey(algorithm)
      const token = issuer.token({ jkt: key.jkt })
      const proof = signProof({ key, method: 'GET', url: server.origin + PATH, token })
      const answer = await server.send({
        path: PATH,
        headers: ['Authorization', `DPoP ${token}`, 'DPoP', proof],
      })
      expect(answer).toMatchObject({
        status: 200,
        caller: { agent: { id: 'change-review-agent', binding: 'dpop', key: key.jkt } },
      })
    },
  )
})

/** RFC 9449 section, with the number of the check in §4.3, and what the log says; the caller is told no more than the code. */
const CHECKS: Readonly<Record<ProofDefect, readonly [section: string, detail: string]>> = {
  'typ is absent': ['§4.3 4', 'typ'],
  'typ is JWT': ['§4.3 4', 'typ'],
  'alg is none': ['§4.3 5', 'is not a JWS in compact form'],
  'alg is HS256, keyed with the public key': ['§4.3 5', 'alg'],
  'alg does not fit the key': ['§4.3 5', 'alg does not fit jwk'],
  'alg is unknown': ['§4.3 5', 'alg'],
  'jwk is absent': ['§4.3 3', 'jwk'],
  'jwk is a string': ['§4.2', 'jwk'],
  'jwk is private': ['§4.3 7', 'jwk'],
  'jwk carries a symmetric secret': ['§4.3 7', 'jwk'],
  'jwk is another key': ['§7.1', 'jwk is not the key of cnf.jkt'],
  'jwk is RSA of 1024 bits': ['RFC 7518 §3.3', 'jwk'],
  'crit names an extension': ['RFC 7515 §4.1.11', 'crit is not supported'],
  'jku points somewhere': ['§4.2', 'jku is not supported'],
  'x5u points somewhere': ['§4.2', 'x5u is not supported'],
  'signed by another key': ['§4.3 6', 'the signature is wrong'],
  'signature is flipped': ['§4.3 6', 'the signature is wrong'],
  'signature is empty': ['§4.3 6', 'is not a JWS in compact form'],
  'signature is DER': ['RFC 7518 §3.4', 'the signature is wrong'],
  'padded base64': ['RFC 7515 §2', 'is not a JWS in compact form'],
  'space in the signature': ['RFC 7515 §2', 'is not a JWS in compact form'],
  'not canonical base64url': ['RFC 4648 §3.5', 'is not canonical base64url'],
  'two parts': ['§4.3 2', 'is not a JWS in compact form'],
  'five parts': ['§4.3 2', 'is not a JWS in compact form'],
  'header is not JSON': ['§4.3 2', 'has a part that is no JSON object, or reads in two ways'],
  'claims are an array': ['RFC 7519 §7.2', 'has a part that is no JSON object, or reads in two ways'],
  'a claim twice': ['RFC 7519 §4', 'has a part that is no JSON object, or reads in two ways'],
  'jti is absent': ['§4.3 3', 'jti'],
  'jti is empty': ['§4.2', 'jti'],
  'jti is a number': ['RFC 7519 §4.1.7', 'jti'],
  'jti is 257 characters': ['§11.1', 'jti'],
  'htm is absent': ['§4.3 3', 'htm'],
  'htm is another method': ['§4.3 8', 'htm'],
  'htm is in lower case': ['§4.3 8', 'htm'],
  'htu is absent': ['§4.3 3', 'htu'],
  'htu is another path': ['§4.3 9', 'htu'],
  'htu is another origin': ['§4.3 9', 'htu'],
  'htu is not a URL': ['§4.2', 'htu'],
  'iat is absent': ['§4.3 3', 'iat'],
  'iat is a string': ['RFC 7519 §4.1.6', 'iat'],
  'iat is an hour old': ['§4.3 11', 'iat is out of the window'],
  'iat is an hour ahead': ['§4.3 11', 'iat is out of the window'],
  'ath is absent': ['§7', 'ath'],
  'ath is of another token': ['§4.3 12', 'ath'],
}

/** A sound proof by a foreign key is a fault of the binding: the token was stolen. */
const expected = (defect: ProofDefect) =>
  defect === 'jwk is another key'
    ? {
        code: 'identity.binding_mismatch',
        challenge: /^DPoP error="invalid_token", error_description="Invalid DPoP key binding", algs="/,
      }
    : { code: 'identity.proof_invalid', challenge: CHALLENGE }

describe('a proof with one defect is refused, and the challenge does not say which', () => {
  const defects = Object.keys(PROOF_DEFECTS) as ProofDefect[]
  test.each(defects.map((defect) => ({ defect, section: CHECKS[defect][0], detail: CHECKS[defect][1] })))(
    '$section: $defect',
    async ({ defect, detail }) => {
      const key = createProofKey()
      const token = issuer.token({ jkt: key.jkt })
      const proof = signProof({ key, method: 'GET', url: server.origin + PATH, token, defect })
      const answer = await server.send({
        path: PATH,
        headers: ['Authorization', `DPoP ${token}`, 'DPoP', proof],
      })
      const { code, challenge } = expected(defect)
      expect(answer).toMatchObject({ status: 401, code, detail: `proof: ${detail}` })
      expect(answer.challenges).toEqual([expect.stringMatching(challenge)])
      expect(answer.headers['cache-control']).toBe('no-store')
    },
  )
})

test('RFC 7518 §3.5: a PS256 signature with a salt of another length is wrong', async () => {
  const key = createProofKey('PS256')
  const token = issuer.token({ jkt: key.jkt })
  const proof = signProof({ key, method: 'GET', url: server.origin + PATH, token })
  const input = proof.slice(0, proof.lastIndexOf('.'))
  const salted = { key: key.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 20 }
  const signature = sign('sha256', Buffer.from(input), salted).toString('base64url')
  const headers = ['Authorization', `DPoP ${token}`, 'DPoP', `${input}.${signature}`]
  const answer = await server.send({ path: PATH, headers })
  expect(answer).toMatchObject({ status: 401, detail: 'proof: the signature is wrong' })
})

describe('a registered claim that nothing here reads, but of a type it cannot have (RFC 7519 §4.1)', () => {
  test.each([
    ['iss', null],
    ['sub', 1],
    ['aud', [1]],
    ['exp', '1'],
    ['nbf', {}],
  ])('%s: %j', async (name, value) => {
    const key = createProofKey()
    const token = issuer.token({ jkt: key.jkt })
    const claims = { [name]: value }
    const proof = signProof({ key, method: 'GET', url: server.origin + PATH, token, claims })
    const answer = await server.send({
      path: PATH,
      headers: ['Authorization', `DPoP ${token}`, 'DPoP', proof],
    })
    expect(answer).toMatchObject({ code: 'identity.proof_invalid', detail: `proof: ${name}` })
  })
})
