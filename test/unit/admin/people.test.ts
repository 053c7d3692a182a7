import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { PeopleConfig } from '../../../gateway/config/admin-config.ts'
import { recordingPlane, startTestAdmin, type TestAdmin } from '../../harness/admin.ts'
import { freePorts } from '../../harness/free-ports.ts'
import { startIssuer, type Issuer, type TokenOptions } from '../../harness/issuer.ts'
import { createProofKey, signProof, type ProofOptions } from '../../harness/proof.ts'
import { connectRaw, sendRaw } from '../../harness/raw-client.ts'

const AUDIENCE = 'https://admin.zyx.example'
const OPERATORS = 'shared-by-operators'
const key = createProofKey()
const { plane, actors } = recordingPlane()

let issuer: Issuer
let admin: TestAdmin
let origin = ''
beforeAll(async () => {
  issuer = await startIssuer()
  admin = await startTestAdmin({ token: OPERATORS, people: peopleOf(issuer) }, plane)
  origin = `http://127.0.0.1:${admin.port}`
})
afterAll(async () => {
  await admin[Symbol.asyncDispose]()
  await issuer[Symbol.asyncDispose]()
})
beforeEach(() => void (actors.length = 0))

function peopleOf({ config }: Issuer, requiredScopes: readonly string[] = []): PeopleConfig {
  const { issuer: name, algorithms, jwks, clockSkewMs } = config
  const claims = { id: 'sub', groups: 'groups' }
  return {
    issuers: [{ issuer: name, audiences: [AUDIENCE], algorithms, jwks, claims, requiredScopes, clockSkewMs }],
    certificates: [],
    operatorGroups: ['platform-operators'],
    barred: [],
  }
}

const token = ({ claims, ...more }: TokenOptions = {}): string =>
  issuer.token({
    ...more,
    claims: {
      aud: AUDIENCE,
      client_id: 'toolgate-cli',
      sub: 'priya@zyx.example',
      groups: ['change-approvers'],
      ...claims,
    },
  })
const ask = (headers: Record<string, string>, path = '/admin/v1/locks', method = 'POST') =>
  fetch(origin + path, { method, headers })
const bearer = (text: string) => ({ authorization: `Bearer ${text}` })
const dpop = (text: string, more: Partial<ProofOptions> = {}) => ({
  authorization: `DPoP ${text}`,
  dpop: signProof({ key, method: 'POST', url: `${origin}/admin/v1/locks`, token: text, ...more }),
})

describe('a person with a token', () => {
  it('is known by the id and the groups that the issuer gives, and by how they signed in', async () => {
    const claims = { acr: 'phr', amr: ['hwk', 'pin'] }
    expect((await ask(bearer(token({ claims })))).status).toBe(200)
    expect(actors).toEqual([
      {
        kind: 'person',
        person: {
          id: 'priya@zyx.example',
          issuer: issuer.issuer,
          groups: ['change-approvers'],
          channel: 'admin',
          authentication: 'acr=phr amr=hwk,pin',
        },
      },
    ])
  })

  it('may bind it to a key, and then proves each request', async () => {
    const bound = token({ jkt: key.jkt })
    expect((await ask(dpop(bound))).status).toBe(200)
    expect((await ask(bearer(bound))).status).toBe(401)
  })

  it.each<[string, Partial<ProofOptions>]>([
    ['for the listener of calls', { url: 'http://127.0.0.1:1/admin/v1/locks' }],
    ['for another resource', { url: 'http://127.0.0.1:1/admin/v1/approvals' }],
    ['for another method', { method: 'GET' }],
    ['by another key', { key: createProofKey() }],
    ['for another token', { token: 'x' }],
    ['that is old', { nowMs: Date.now() - 120_000 }],
  ])('is refused with a proof %s', async (_what, more) => {
    expect((await ask(dpop(token({ jkt: key.jkt }), more))).status).toBe(401)
    expect(actors).toEqual([])
  })

  it('is refused with a proof that was used before, and told so', async () => {
    const headers = dpop(token({ jkt: key.jkt }))
    expect((await ask(headers)).status).toBe(200)
    const again = await ask(headers)
    expect([again.status, ((await again.json()) as { code: string }).code]).toEqual([
      401,
      'identity.proof_replayed',
    ])
    expect(again.headers.get('www-authenticate')).toContain('error="invalid_dpop_proof"')
  })

  it('is refused where the token is bound to a certificate that did not come', async () => {
    expect((await ask(bearer(token({ x5t: 'A'.repeat(43) })))).status).toBe(401)
  })

  it.each([
    ['for another audience, such as what agents call', { aud: 'https://gateway.test' }],
    ['of another issuer', { iss: 'https://issuer.example' }],
    ['without a person', { sub: undefined }],
    ['with groups that cannot be read', { groups: { 'change-approvers': true } }],
    ['with an acr that cannot be read', { acr: 3 }],
    ['that has ended', { exp: 1 }],
    ['with a condition that is not known', { cnf: { kid: 'x' } }],
  ])('is refused with one %s', async (_what, claims) => {
    const reply = await ask(bearer(token({ claims })))
    expect(reply.status).toBe(401)
    expect(reply.headers.get('www-authenticate')).toMatch(/error="invalid_token"/)
    expect(actors).toEqual([])
  })

  it('is refused with an ID token of the same issuer', async () => {
    expect((await ask(bearer(token({ header: { typ: 'JWT' } })))).status).toBe(401)
  })

  it('is told the code alone; the detail is for the log', async () => {
    const reply = await ask(bearer(token({ claims: { aud: 'elsewhere' } })))
    expect(JSON.stringify(await reply.json())).not.toContain('aud')
    expect(admin.refused.at(-1)?.detail).toContain('aud')
  })

  it.each([
    ['is of a program that acts for itself', { sub: 'toolgate-cli' }],
    ['is of an agent that acts for a person', { act: { sub: 'change-review-agent' } }],
  ])('is nobody who decides when it %s', async (_what, claims) => {
    expect((await ask(bearer(token({ claims })))).status).toBe(403)
    expect(actors).toEqual([])
  })

  it('sees neither metrics nor state nor configuration, unless a group says so', async () => {
    const operator = bearer(token({ claims: { groups: ['platform-operators'] } }))
    for (const path of ['/metrics', '/admin/v1/status', '/admin/v1/config']) {
      expect((await ask(bearer(token()), path, 'GET')).status).toBe(403)
      expect((await ask(operator, path, 'GET')).status).toBe(200)
    }
  })

  it('is answered 503 while the keys of the issuer cannot be had', async () => {
    await using away = await startIssuer()
    away.answerWith((_request, response) => response.writeHead(500).end())
    await using other = await startTestAdmin({ people: peopleOf(away) }, plane)
    const reply = await fetch(`http://127.0.0.1:${other.port}/admin/v1/locks`, {
      method: 'POST',
      headers: bearer(away.token({ claims: { aud: AUDIENCE } })),
    })
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '1'])
  })

  it('needs the scope that the configuration names', async () => {
    await using strict = await startTestAdmin({ people: peopleOf(issuer, ['toolgate.approve']) }, plane)
    const reply = await fetch(`http://127.0.0.1:${strict.port}/admin/v1/locks`, {
      method: 'POST',
      headers: bearer(token()),
    })
    expect(reply.status).toBe(403)
    expect(reply.headers.get('www-authenticate')).toContain('scope="toolgate.approve"')
  })
})

it('a request that comes before the keys of people are there is answered, and not forgotten', async () => {
  await using slow = await startIssuer()
  const asked = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  slow.answerWith((_request, response) => {
    asked.resolve()
    void goOn.promise.then(() => response.end(JSON.stringify(slow.jwks())))
  })
  const [port = 0] = await freePorts(1)
  const starting = startTestAdmin({ port, people: peopleOf(slow) }, plane)
  await asked.promise
  await using early = await connectRaw(port)
  early.send('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  // Node answers this by itself: then the one before has been read, too.
  expect((await sendRaw(port, 'nothing\r\n\r\n')).status).toBe(400)
  goOn.resolve()
  await using _admin = await starting
  expect((await early.response()).status).toBe(200)
})

describe('after people were configured anew', () => {
  it('knows the new ones and no others, and still what proofs were used', async () => {
    await using listener = await startTestAdmin({ token: OPERATORS, people: peopleOf(issuer) }, plane)
    const url = `http://127.0.0.1:${listener.port}/admin/v1/locks`
    const bound = token({ jkt: key.jkt })
    const headers = dpop(bound, { url })
    const status = async (sent: Record<string, string>): Promise<number> =>
      (await fetch(url, { method: 'POST', headers: sent })).status
    expect(await status(headers)).toBe(200)
    await listener.usePeople({ issuers: [], certificates: [], operatorGroups: [], barred: [] })
    expect([await status(bearer(token())), await status(bearer(OPERATORS))]).toEqual([401, 200])
    await listener.usePeople(peopleOf(issuer))
    expect([await status(bearer(token())), await status(headers)]).toEqual([200, 401])
  })
})

describe('the shared token', () => {
  it('is an operator, and nobody in particular', async () => {
    await ask(bearer(OPERATORS))
    expect(actors).toEqual([{ kind: 'operator' }])
  })

  it.each([`Bearer ${OPERATORS}x`, `Basic ${OPERATORS}`, `DPoP ${OPERATORS}`, OPERATORS])(
    'is not %s',
    async (authorization) => expect((await ask({ authorization })).status).toBe(401),
  )
})

describe('somebody without credentials', () => {
  it('is told how to get them', async () => {
    const reply = await ask({})
    expect(reply.status).toBe(401)
    expect(reply.headers.get('www-authenticate')).toMatch(/^DPoP algs="ES256".*Bearer resource_metadata=/)
  })

  it('finds the issuer in the metadata', async () => {
    const reply = await ask({}, '/.well-known/oauth-protected-resource', 'GET')
    expect(await reply.json()).toMatchObject({ resource: origin, authorization_servers: [issuer.issuer] })
  })

  it('is an operator only where there is no shared token, and only on this machine', async () => {
    await using open = await startTestAdmin({ people: peopleOf(issuer) }, plane)
    const reply = await fetch(`http://127.0.0.1:${open.port}/admin/v1/locks`, { method: 'POST' })
    expect([reply.status, actors]).toEqual([200, [{ kind: 'operator' }]])
  })
})
