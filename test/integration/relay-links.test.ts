import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import type { Connector } from '../../gateway/catalog/connector.ts'
import { HeaderList } from '../../gateway/lib/header-list.ts'
import { startUpstream } from '../harness/upstream.ts'
import { startForwardGateway } from './forward-gateway.ts'

const VENDOR = 'https://api.vendor.test'
const BODY_LINKS: Partial<Connector> = { links: { header: true, body: true, origins: [VENDOR] } }

it.each([
  [
    'absolute',
    `${VENDOR}/repositories/7/pulls?page=2`,
    'http://gateway.test/vendor/repositories/7/pulls?page=2',
  ],
  ['relative to the host', '/repositories/7', 'http://gateway.test/vendor/repositories/7'],
  ['relative to the path', '../7#top', 'http://gateway.test/vendor/7#top'],
])(
  'keeps a caller on the gateway when the upstream redirects to itself, %s',
  async (_what, location, seen) => {
    await using upstream = await startUpstream((_request, response) => {
      response.writeHead(301, { location })
      response.end()
    })
    await using gateway = await startForwardGateway({
      origin: upstream.origin,
      connector: { links: { header: true, body: false, origins: [VENDOR] } },
    })
    const reply = await fetch(`${gateway.origin}/repos/old`, { redirect: 'manual', method: 'POST' })
    expect(reply.status).toBe(301)
    expect(reply.headers.get('location')).toBe(seen)
  },
)

it('refuses a redirect of the upstream to a path that the connector does not reach', async () => {
  await using upstream = await startUpstream((_request, response) => {
    response.writeHead(302, { location: '/login' })
    response.end()
  })
  await using gateway = await startForwardGateway({
    origin: upstream.origin,
    connector: { basePath: '/wiki' },
  })
  const reply = await fetch(`${gateway.origin}/rest/api/content`)
  expect(await reply.json()).toMatchObject({ code: 'upstream.redirect_denied' })
})

it('leads Link headers through the gateway, and only those of the upstream', async () => {
  await using upstream = await startUpstream((_request, response) => {
    response.setHeader('link', [
      `<${VENDOR}/repositories/1/pulls?page=2>; rel="next", <${VENDOR}.evil.test/x>; rel="other"`,
      `<${upstream.origin}/a>; rel="self"`,
    ])
    response.end('[]')
  })
  await using gateway = await startForwardGateway({
    origin: upstream.origin,
    connector: { links: { header: true, body: false, origins: [VENDOR] } },
  })
  expect((await fetch(`${gateway.origin}/x`)).headers.get('link')).toBe(
    `<http://gateway.test/vendor/repositories/1/pulls?page=2>; rel="next", <${VENDOR}.evil.test/x>; rel="other", ` +
      '<http://gateway.test/vendor/a>; rel="self"',
  )
})

it.each(['whole', 'in pieces'])(
  'leads links in a JSON body that comes %s through the gateway',
  async (manner) => {
    const body = `{"id":12345678901234567890,"url":"${VENDOR}/users/1","html_url":"https://vendor.test/1"}`
    await using upstream = await startUpstream((_request, response) => {
      response.writeHead(200, {
        'content-type': 'application/vnd.vendor.v3+json; charset=utf-8',
        'content-length': String(body.length),
        'content-md5': 'AA==',
        etag: '"1"',
      })
      response.write(body.slice(0, 40))
      if (manner === 'whole') response.end(body.slice(40))
      else setImmediate(() => setImmediate(() => response.end(body.slice(40))))
    })
    await using gateway = await startForwardGateway({ origin: upstream.origin, connector: BODY_LINKS })
    const reply = await fetch(`${gateway.origin}/x`, { headers: { range: 'bytes=0-1' } })
    expect(await reply.text()).toBe(body.replace(VENDOR, 'http://gateway.test/vendor'))
    expect(reply.headers.get('content-md5')).toBeNull()
    expect(reply.headers.get('etag')).toBe('"1"')
    const asked = new HeaderList((await upstream.nextRequest()).headers)
    expect(asked.get('accept-encoding')).toBe('identity')
    expect(asked.has('range')).toBe(false)
  },
)

it.each([
  ['text', { 'content-type': 'text/plain' }],
  ['compressed', { 'content-type': 'application/json', 'content-encoding': 'gzip' }],
])('leaves a body alone that is %s', async (_what, headers) => {
  const body = `"${VENDOR}/users/1"`
  await using upstream = await startUpstream((_request, response) => {
    response.writeHead(200, headers)
    response.end(body)
  })
  await using gateway = await startForwardGateway({ origin: upstream.origin, connector: BODY_LINKS })
  // Not fetch: it would try to unpack the body.
  const sent = request(`${gateway.origin}/x`).end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  expect(await text(response)).toBe(body)
})
