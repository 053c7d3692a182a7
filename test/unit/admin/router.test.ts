import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Admin } from '../../../gateway/admin/admin.ts'
import { createControlPlane } from '../../../gateway/control/control-plane.ts'
import type { ChannelRequest, ControlRequest } from '../../../gateway/control/control.ts'
import { startTestAdmin } from '../../harness/admin.ts'
import { sendRaw } from '../../harness/raw-client.ts'

const asked: ControlRequest[] = []
const posted: ChannelRequest[] = []
const faults: unknown[] = []
const SECRET = 'the password is hunter2'

const plane = createControlPlane({
  routes: [
    { method: 'GET', pattern: 'locks', answer: note },
    { method: 'POST', pattern: 'locks', answer: note },
    { method: 'GET', pattern: 'locks/{id}', answer: (_request, { id }) => ({ status: 200, body: { id } }) },
    { method: 'DELETE', pattern: 'locks/{id}', answer: note },
    { method: 'GET', pattern: 'locks/broken', answer: () => Promise.reject(new Error(SECRET)) },
  ],
  channels: [
    {
      path: 'slack/interactions',
      answer(request) {
        posted.push(request)
        return { status: 200, contentType: 'text/plain', body: '' }
      },
    },
  ],
  onFault: (cause) => void faults.push(cause),
})

function note(request: ControlRequest) {
  asked.push(request)
  return { status: request.method === 'POST' ? 201 : 200, body: {} }
}

let admin: Admin
beforeAll(async () => {
  admin = await startTestAdmin({}, plane)
})
afterAll(() => admin[Symbol.asyncDispose]())
beforeEach(() => {
  asked.length = 0
  posted.length = 0
  faults.length = 0
})

const raw = (method: string, path: string, headers: readonly string[] = [], body = '') =>
  sendRaw(
    admin.port,
    [
      `${method} ${path} HTTP/1.1`,
      ...(headers.some((line) => /^host:/i.test(line)) ? [] : [`Host: 127.0.0.1:${admin.port}`]),
      ...headers,
      ...(body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
      '',
      body,
    ].join('\r\n'),
  )
const JSON_TYPE = 'Content-Type: application/json'

describe('what people ask', () => {
  it('reaches the route with its body and who asked', async () => {
    const reply = await raw('POST', '/admin/v1/locks?dry=1', [JSON_TYPE], '{"scope":"all"}')
    expect(reply.status).toBe(201)
    expect(asked).toEqual([
      { method: 'POST', path: 'locks', query: 'dry=1', body: { scope: 'all' }, actor: { kind: 'operator' } },
    ])
  })

  it('gives a route its parameters decoded, with an encoded slash as part of a name', async () => {
    const reply = await raw('GET', '/admin/v1/locks/operation:github.pulls%2Fget')
    expect(JSON.parse(reply.body.toString())).toEqual({ id: 'operation:github.pulls/get' })
  })

  it.each([
    '/admin/v1/nothing',
    '/admin/v1/locks/',
    '/admin/v1/locks/a/b',
    '/admin/v1/locks/%ff',
    '/nothing',
  ])('is 404 at %s', async (path) => expect((await raw('GET', path)).status).toBe(404))

  it('says which methods there are', async () => {
    const reply = await raw('DELETE', '/admin/v1/locks')
    expect([reply.status, reply.header('allow')]).toEqual([405, 'GET, POST'])
  })

  it.each(['PUT', 'OPTIONS', 'TRACE', 'PATCH'])('refuses %s', async (method) => {
    expect((await raw(method, '/admin/v1/locks')).status).toBe(405)
  })

  it('takes a spelt-out path before a parameter, and tells nobody why it failed', async () => {
    const reply = await raw('GET', '/admin/v1/locks/broken')
    expect(reply.status).toBe(500)
    expect(reply.body.toString()).not.toContain('hunter2')
    expect(faults).toEqual([new Error(SECRET)])
  })

  it('is answered in a way that no page can frame, keep or sniff', async () => {
    const reply = await raw('GET', '/admin/v1/locks')
    expect(reply.header('cache-control')).toBe('no-store')
    expect(reply.header('x-frame-options')).toBe('DENY')
    expect(reply.header('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(reply.header('x-content-type-options')).toBe('nosniff')
    expect(reply.headers.join().toLowerCase()).not.toContain('access-control')
  })
})

describe('a body', () => {
  it.each([
    ['twice the same name', '{"scope":"all","scope":"writes"}'],
    ['no JSON', '{scope:all}'],
    ['nesting without end', '['.repeat(17) + ']'.repeat(17)],
  ])('with %s is refused', async (_what, body) => {
    const reply = await raw('POST', '/admin/v1/locks', [JSON_TYPE], body)
    expect([reply.status, reply.header('content-type')]).toEqual([400, 'application/problem+json'])
    expect(asked).toEqual([])
  })

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=utf-16',
    'application/json; charset=utf-8; charset=utf-16',
  ])('of type %s is refused, so that no form of another site is taken', async (type) => {
    const reply = await raw('POST', '/admin/v1/locks', [`Content-Type: ${type}`], '{"scope":"all"}')
    expect(reply.status).toBe(415)
    expect(asked).toEqual([])
  })

  it('that is encoded is refused', async () => {
    const reply = await raw('POST', '/admin/v1/locks', [JSON_TYPE, 'Content-Encoding: gzip'], '{}')
    expect(reply.status).toBe(415)
  })

  it('that says it is too large is refused unread, and the connection ends', async () => {
    const reply = await raw('POST', '/admin/v1/locks', [JSON_TYPE, 'Content-Length: 65537'])
    expect([reply.status, reply.header('connection')]).toEqual([413, 'close'])
  })

  it('that turns out too large is refused', async () => {
    const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`
    const sent = await sendRaw(
      admin.port,
      `POST /channels/slack/interactions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(3)}0\r\n\r\n`,
    )
    expect(sent.status).toBe(413)
    expect(posted).toEqual([])
  })

  it('of a request that only reads is refused', async () => {
    expect((await raw('GET', '/admin/v1/locks', [JSON_TYPE], '{}')).status).toBe(400)
  })
})

describe('a request that another site made a browser send', () => {
  const own = (): string => `Origin: http://127.0.0.1:${admin.port}`

  it.each([
    ['its Origin', 'Origin: https://evil.example'],
    ['an opaque origin', 'Origin: null'],
    ['the same host on another port', 'Origin: http://127.0.0.1:1'],
    ['a cross-site fetch', 'Sec-Fetch-Site: cross-site'],
    ['a sibling domain', 'Sec-Fetch-Site: same-site'],
  ])('is refused by %s', async (_by, header) => {
    for (const method of ['GET', 'POST', 'DELETE']) {
      const reply = await raw(method, '/admin/v1/locks/1', [header])
      expect(reply.status).toBe(403)
    }
    expect(asked).toEqual([])
  })

  it('is told from one of a page of its own', async () => {
    const reply = await raw('POST', '/admin/v1/locks', [own(), 'Sec-Fetch-Site: same-origin'])
    expect(reply.status).toBe(201)
  })

  it.each(['Host: rebound.example', 'Host: 127.0.0.1.rebound.example', 'Host: localhost:x'])(
    'does not get in by a name of its own: %s',
    async (host) => {
      expect((await raw('POST', '/admin/v1/locks', [host])).status).toBe(421)
      expect(asked).toEqual([])
    },
  )
})

describe('being on this machine', () => {
  it.each(['X-Forwarded-For: 192.0.2.1', 'Forwarded: for=192.0.2.1', 'Via: 1.1 proxy'])(
    'is not believed of what a proxy passed on: %s',
    async (header) => {
      const reply = await raw('POST', '/admin/v1/locks', [header])
      expect([reply.status, reply.header('www-authenticate')]).toEqual([401, 'Bearer'])
    },
  )

  it('is not enough beside credentials that are wrong', async () => {
    expect((await raw('GET', '/admin/v1/locks', ['Authorization: Bearer guess'])).status).toBe(401)
  })

  it('is not shown by two authorizations', async () => {
    const two = ['Authorization: Bearer a', 'Authorization: Bearer b']
    expect((await raw('GET', '/admin/v1/locks', two)).status).toBe(401)
  })
})

describe('a request target', () => {
  it.each(['//admin/v1/locks', '/admin/v1/../v1/locks', '/admin/v1/locks;x'])(
    'that is not the one of a resource finds none: %s',
    async (path) => expect((await raw('GET', path)).status).toBe(404),
  )

  it.each(['http://127.0.0.1/admin/v1/locks', '*', '/admin/v1/lo"cks', `/${'a'.repeat(4_096)}`])(
    'that is not canonical is refused',
    async (path) => expect((await raw('GET', path)).status).toBe(400),
  )
})

describe('what a channel posts', () => {
  it('comes with its exact bytes and headers, without other credentials, by whatever name', async () => {
    const body = 'payload=%7B%22a%22%3A1%7D'
    const reply = await raw(
      'POST',
      '/channels/slack/interactions',
      ['Host: hooks.example', 'X-Slack-Signature: v0=1'],
      body,
    )
    expect(reply.status).toBe(200)
    const [request] = posted
    expect(Buffer.from(request?.untrustedBodyBase64 ?? '', 'base64').toString()).toBe(body)
    expect(request?.untrustedHeaders).toContain('X-Slack-Signature')
  })

  it('is 404 where nothing of that name is set up', async () => {
    expect((await raw('POST', '/channels/teams', [], 'x')).status).toBe(404)
  })

  it('is never a GET', async () => {
    expect((await raw('GET', '/channels/slack/interactions')).status).toBe(405)
  })
})
