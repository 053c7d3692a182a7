import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { HeaderList } from '../../gateway/lib/header-list.ts'
import { startUpstream } from '../harness/upstream.ts'
import { startForwardGateway } from './forward-gateway.ts'

const TOKEN = { type: 'bearer', token: { source: 'env', name: 'TOKEN' } } as const

/** A client that sends exactly these headers, duplicates included. */
async function ask(
  origin: string,
  target: string,
  headers: Record<string, string | string[]>,
): Promise<{ status: number | undefined; body: string }> {
  const sent = request(origin, { path: target, headers })
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return { status: response.statusCode, body: await text(response) }
}

it('sends the gateway’s credential and nothing that was the caller’s alone', async () => {
  await using upstream = await startUpstream((_request, response) => void response.end('{}'))
  await using gateway = await startForwardGateway({
    origin: upstream.origin,
    credential: TOKEN,
    environment: { TOKEN: 'vendor-token' },
    connector: { headers: { request: ['x-github-api-version'], response: [] } },
  })
  await ask(gateway.origin, '/user', {
    authorization: 'DPoP callers-token',
    dpop: 'proof',
    cookie: 'session=1',
    via: '1.1 other',
    forwarded: 'for=10.0.0.1',
    'x-forwarded-for': '10.0.0.1',
    'x-forwarded-host': 'evil.test',
    'x-forwarded-client-cert': 'Hash=00',
    'client-cert': ':AA==:',
    'proxy-authorization': 'Basic AA==',
    'toolgate-task': 'task',
    te: 'trailers',
    'x-unknown': '1',
    'x-github-api-version': '2022-11-28',
    accept: 'application/json',
    'user-agent': 'octokit',
    'accept-encoding': 'zstd, gzip;q=0.8, br, *;q=0.1',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    tracestate: 'vendor=1',
  })
  const seen = new HeaderList((await upstream.nextRequest()).headers)
  expect([...seen.names()].sort()).toEqual([
    'accept',
    'accept-encoding',
    'authorization',
    'connection',
    'host',
    'traceparent',
    'tracestate',
    'user-agent',
    'x-github-api-version',
  ])
  expect(seen.get('authorization')).toBe('Bearer vendor-token')
  expect(seen.get('host')).toBe(`127.0.0.1:${upstream.port}`)
  expect(seen.get('accept-encoding')).toBe('gzip;q=0.8, br')
  expect(seen.get('user-agent')).toBe('octokit')
  expect(seen.get('traceparent')).toMatch(
    /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/,
  )
})

it.each([
  '/repos/zyx/platform-infra/contents/a%2Fb%20c?ref=heads%2Fmain&x=%E2%9C%93&&y',
  "/charges?metadata[a]=b&expand[]=c&q='a|b^{}`~",
  '/a/%7Euser/~user/@me/a+b',
])('sends the target %s byte for byte', async (target) => {
  await using upstream = await startUpstream((_request, response) => void response.end())
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  await ask(gateway.origin, target, {})
  expect((await upstream.nextRequest()).target).toBe(target)
})

it('puts the base path of the connector before the path and keeps the origin of the operation', async () => {
  await using upstream = await startUpstream((_request, response) => void response.end())
  await using gateway = await startForwardGateway({
    origin: 'http://127.0.0.1:1',
    connector: { basePath: '/wiki' },
    operation: { origin: upstream.origin },
  })
  await ask(gateway.origin, '/rest/api/content?limit=1', {})
  expect((await upstream.nextRequest()).target).toBe('/wiki/rest/api/content?limit=1')
})

it('refuses a call that carries a credential of its own in its query', async () => {
  await using upstream = await startUpstream((_request, response) => void response.end())
  await using gateway = await startForwardGateway({
    origin: upstream.origin,
    connector: { credentialParameters: { query: ['access_token'], body: [] } },
  })
  const { status } = await ask(gateway.origin, '/user?page=1&acces%73_token=stolen', {})
  expect(status).toBe(400)
  expect(gateway.refusals[0]?.code).toBe('request.credential_misplaced')
  expect(upstream.accepted()).toBe(0)
})

it('sends nothing while the credential cannot be had', async () => {
  await using upstream = await startUpstream((_request, response) => void response.end())
  await using gateway = await startForwardGateway({
    origin: upstream.origin,
    credential: TOKEN,
    environment: { TOKEN: '\n' },
  })
  expect((await ask(gateway.origin, '/user', {})).status).toBe(503)
  expect(gateway.refusals[0]?.code).toBe('credential.unavailable')
  expect(upstream.accepted()).toBe(0)
})
