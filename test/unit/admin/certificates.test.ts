import { request } from 'node:https'
import { afterAll, beforeAll, beforeEach, expect, describe, it } from 'vitest'
import { adminTls, recordingPlane, startTestAdmin, type TestAdmin } from '../../harness/admin.ts'
import { connectRaw } from '../../harness/raw-client.ts'
import { createPki, type Certified, type Pki } from '../../harness/pki.ts'

const { plane, actors } = recordingPlane()
const PRIYA = 'spiffe://zyx.example/people/priya'
const TOMAS = 'spiffe://zyx.example/people/tomas'

let pki: Pki
let admin: TestAdmin
beforeAll(async () => {
  pki = createPki()
  admin = await startTestAdmin(
    {
      tls: adminTls(pki),
      people: {
        issuers: [],
        certificates: [
          { uri: PRIYA, subject: undefined, id: 'priya@zyx.example', groups: ['change-approvers'] },
          { uri: TOMAS, subject: undefined, id: 'tomas@zyx.example', groups: ['change-managers'] },
          { uri: undefined, subject: 'CN=sofia', id: 'sofia@zyx.example', groups: [] },
        ],
        operatorGroups: [],
        barred: [],
      },
      token: 'operators',
    },
    plane,
  )
})
afterAll(async () => {
  await admin[Symbol.asyncDispose]()
  await pki[Symbol.asyncDispose]()
})
beforeEach(() => void (actors.length = 0))

const ask = (client?: Certified, headers: Record<string, string> = {}): Promise<number> =>
  new Promise((resolve, reject) => {
    request({
      host: '127.0.0.1',
      port: admin.port,
      path: '/admin/v1/locks',
      method: 'POST',
      ca: pki.ca,
      agent: false,
      headers,
      ...(client && { cert: client.cert, key: client.key }),
    })
      .on('response', (reply) => resolve(reply.resume().statusCode ?? 0))
      .on('error', reject)
      .end()
  })
const person = (): string => (actors[0]?.kind === 'person' ? actors[0].person.id : (actors[0]?.kind ?? ''))

describe('a person with a client certificate', () => {
  it('is known by its URI, with the groups of the configuration and the authority as who vouches', async () => {
    expect(await ask(pki.client({ uris: [PRIYA] }))).toBe(200)
    expect(actors).toEqual([
      {
        kind: 'person',
        person: {
          id: 'priya@zyx.example',
          issuer: 'CN=Toolgate test CA',
          groups: ['change-approvers'],
          channel: 'admin',
          authentication: 'mtls',
        },
      },
    ])
  })

  it('is known by its whole subject', async () => {
    expect(await ask(pki.client({ commonName: 'sofia' }))).toBe(200)
    expect(person()).toBe('sofia@zyx.example')
  })

  it.each([
    ['that names nobody', () => pki.client({ uris: ['spiffe://zyx.example/people/eve'] })],
    ['whose name only begins as somebody else', () => pki.client({ commonName: 'sofia,CN=x' })],
    ['with the names of two people', () => pki.client({ commonName: 'sofia', uris: [PRIYA] })],
    ['that could sign others', () => pki.client({ uris: [PRIYA], ca: true })],
    ['with two SPIFFE IDs', () => pki.client({ uris: [PRIYA, TOMAS] })],
  ])('is nobody with one %s', async (_what, client) => {
    expect(await ask(client())).toBe(401)
    expect(actors).toEqual([])
  })

  it('is nobody with one of another authority', async () => {
    await using foreign = createPki()
    expect(await ask(foreign.client({ uris: [PRIYA] }))).toBe(401)
  })

  it('is nobody without one', async () => {
    expect(await ask()).toBe(401)
  })

  it('is the operator when the shared token is what they send', async () => {
    await ask(pki.client({ uris: [PRIYA] }), { authorization: 'Bearer operators' })
    expect(person()).toBe('operator')
  })

  it('is not fallen back to from credentials that are wrong', async () => {
    expect(await ask(pki.client({ uris: [PRIYA] }), { authorization: 'Bearer guess' })).toBe(401)
  })

  it('is not acted for by a page of another site, whose browser shows it by itself', async () => {
    const client = pki.client({ uris: [PRIYA] })
    expect(await ask(client, { origin: 'https://evil.example' })).toBe(403)
    expect(await ask(client, { 'sec-fetch-site': 'cross-site' })).toBe(403)
  })
})

describe('after the certificates were read again', () => {
  it('a connection from before ends with the answer it is at, or at once', async () => {
    const head = `POST /admin/v1/locks HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer operators\r\n\r\n`
    await using client = await connectRaw(admin.port, { ca: pki.ca })
    client.send(head)
    const first = await client.response()
    expect(first.header('connection')).toBe('keep-alive')
    admin.reloadTls()
    await client.closed
    expect(await ask(pki.client({ uris: [PRIYA] }))).toBe(200)
  })
})
