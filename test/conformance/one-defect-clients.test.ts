import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { AUDIENCE } from '../harness/issuer.ts'
import { PROOF_DEFECTS, type ProofDefect } from '../harness/proof-defects.ts'
import type { Answer } from '../harness/send.ts'
import { TOKEN_DEFECTS, type TokenDefect } from '../harness/token-defects.ts'

/** Clients that are right in every way but one, through the whole gateway, with oauth4webapi as the judge. */
const PULL = '/github/repos/zyx/platform-infra/pulls/991'

/** Where we say no and the judge does not, and why. */
const STRICTER: ReadonlyMap<ProofDefect | TokenDefect, string> = new Map<ProofDefect | TokenDefect, string>([
  [
    'jwk carries a symmetric secret',
    'RFC 9449 §4.3 check 7: the key is public; a secret beside it was never meant to be sent',
  ],
  ['jku points somewhere', 'RFC 9449 §4.2 has the key in the proof; whoever follows a URL instead is misled'],
  ['x5u points somewhere', 'as for jku'],
  [
    'RFC 9068 §2.2.3.1: groups hold a number',
    'RFC 7643 §4.1.2: a group has a name; half a list would be decided by',
  ],
  ['RFC 9068 §2.2.3.1: groups are an object', 'as for a number'],
  ['padded base64', 'RFC 7515 §2: one proof, one spelling, or the replay check can be walked around'],
  ['space in the signature', 'RFC 7515 §5.2 step 2: no other characters'],
  ['not canonical base64url', 'RFC 4648 §3.5: bits that are not used are zero'],
  ['a claim twice', 'RFC 7519 §4: names are unique, and readers differ in which of the two they take'],
  ['jti is empty', 'RFC 9449 §4.2: unique, so not the same for everybody'],
  ['jti is 257 characters', 'it is kept until the proof has expired, so its size is bounded'],
])

let toolgate: TestGateway
beforeAll(async () => {
  toolgate = await startTestGateway()
})
afterAll(() => toolgate[Symbol.asyncDispose]())

function draft() {
  const claims = JSON.parse(
    Buffer.from(toolgate.token().split('.')[1] ?? '', 'base64url').toString(),
  ) as object
  const { iss: _iss, exp: _exp, iat: _iat, jti: _jti, cnf: _cnf, ...own } = claims as Record<string, unknown>
  return { issuer: toolgate.issuer, jkt: toolgate.key.jkt, claims: own }
}

async function judged(token: string, proof: string): Promise<boolean> {
  let request: Request
  try {
    request = new Request(toolgate.origin + PULL, {
      headers: { authorization: `DPoP ${token}`, dpop: proof },
    })
  } catch {
    return false
  }
  const server: oauth.AuthorizationServer = {
    issuer: toolgate.issuer.issuer,
    jwks_uri: toolgate.issuer.jwksUri,
  }
  return oauth
    .validateJwtAccessToken(server, request, AUDIENCE, {
      requireDPoP: true,
      [oauth.allowInsecureRequests]: true,
    })
    .then(
      () => true,
      () => false,
    )
}

async function expectRefused(answer: Answer, seenBefore: number): Promise<void> {
  expect(answer.decision).toBe('deny')
  expect(answer.code).toMatch(/^identity\./)
  expect(answer.status).toBe(401)
  expect(answer.headers['www-authenticate']).toMatch(/^DPoP /)
  expect(toolgate.fakes.github.requests).toHaveLength(seenBefore)
  await expect.poll(() => toolgate.recordsOf(answer.callId), { interval: 5 }).toHaveLength(1)
}

it('a client without any defect is let through, by the judge too', async () => {
  const token = toolgate.token()
  const proof = toolgate.proof('GET', PULL, { token })
  expect(await judged(token, proof)).toBe(true)
  expect((await toolgate.send('GET', PULL, { token, proof })).status).toBe(200)
})

describe('a proof with one defect', () => {
  it.each(Object.keys(PROOF_DEFECTS) as ProofDefect[])('%s', async (defect) => {
    const token = toolgate.token()
    const proof = toolgate.proof('GET', PULL, { token, defect })
    const before = toolgate.fakes.github.requests.length
    await expectRefused(await toolgate.send('GET', PULL, { token, proof }), before)
    expect(await judged(token, proof)).toBe(STRICTER.has(defect))
  })
})

describe('a token with one defect', () => {
  it.each(Object.keys(TOKEN_DEFECTS) as TokenDefect[])('%s', async (defect) => {
    const token = TOKEN_DEFECTS[defect](draft())
    const proof = toolgate.proof('GET', PULL, { token })
    const before = toolgate.fakes.github.requests.length
    await expectRefused(await toolgate.send('GET', PULL, { token, proof }), before)
    expect(await judged(token, proof)).toBe(STRICTER.has(defect))
  })
})
