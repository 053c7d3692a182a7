import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Admin, Readiness } from '../../../gateway/admin/admin.ts'
import { startTestAdmin } from '../../harness/admin.ts'
import { sendRaw } from '../../harness/raw-client.ts'

const TOKEN = 'operators-only'
let reasons: Readiness = {}
const sources = {
  readiness: () => reasons,
  metrics: () =>
    Promise.resolve({ contentType: 'text/plain; version=0.0.4', text: 'toolgate_build_info 1\n' }),
  status: () => ({ version: '1' }),
  config: () => ({ workers: 1 }),
}

let open: Admin
let closed: Admin
beforeAll(async () => {
  open = await startTestAdmin({}, sources)
  closed = await startTestAdmin({ token: TOKEN }, sources)
})
afterAll(async () => {
  await open[Symbol.asyncDispose]()
  await closed[Symbol.asyncDispose]()
})

const get = (admin: Admin, path: string, init: RequestInit = {}) =>
  fetch(`http://127.0.0.1:${admin.port}${path}`, init)

describe('health', () => {
  it('is alive whether or not it is ready', async () => {
    reasons = { audit: 'the disk is full' }
    expect((await get(open, '/healthz')).status).toBe(200)
  })

  it('says what is missing while it is not ready', async () => {
    reasons = { audit: 'the disk is full' }
    const reply = await get(open, '/readyz')
    expect(reply.status).toBe(503)
    expect(await reply.json()).toEqual({ status: 'not ready', reasons })
  })

  it('is ready when nothing is missing', async () => {
    reasons = {}
    expect((await get(open, '/readyz')).status).toBe(200)
  })

  it.each([
    ['/health', 200, {}],
    ['/health?bundles', 500, { error: 'not ready: audit' }],
    ['/health?plugins&exclude-plugin=status', 500, { error: 'not ready: audit' }],
  ])('is answered as OPA would at %s', async (path, status, body) => {
    reasons = { audit: 'the disk is full' }
    const reply = await get(closed, path)
    expect([reply.status, await reply.json()]).toEqual([status, body])
    reasons = {}
    expect((await get(closed, path)).status).toBe(200)
  })

  it('is told to probes that hold no token', async () => {
    reasons = {}
    expect((await get(closed, '/readyz')).status).toBe(200)
  })
})

describe('a listener with a token', () => {
  it.each([
    '/metrics',
    '/admin/v1/status',
    '/admin/v1/config',
    '/admin/v1/openapi.json',
    '/admin/v1/nothing',
  ])('shows nothing of %s without it', async (path) => {
    const reply = await get(closed, path)
    expect(reply.status).toBe(401)
    expect(reply.headers.get('www-authenticate')).toBe('Bearer')
  })

  it.each([`Bearer ${TOKEN}x`, `Bearer`, `Basic ${TOKEN}`, TOKEN, `Bearer ${TOKEN.toUpperCase()}`])(
    'refuses %s',
    async (authorization) => {
      expect((await get(closed, '/metrics', { headers: { authorization } })).status).toBe(401)
    },
  )

  it('serves metrics with it', async () => {
    const reply = await get(closed, '/metrics', { headers: { authorization: `Bearer ${TOKEN}` } })
    expect(await reply.text()).toContain('toolgate_build_info')
  })
})

describe('a listener on loopback without a token', () => {
  it('answers to its own addresses only, so that no web page can reach it through a name of its choice', async () => {
    const reply = await sendRaw(
      open.port,
      'GET /metrics HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n',
    )
    expect(reply.status).toBe(421)
  })

  it('changes nothing: only GET and HEAD are answered', async () => {
    expect((await get(open, '/admin/v1/config', { method: 'POST', body: '{}' })).status).toBe(405)
  })
})
