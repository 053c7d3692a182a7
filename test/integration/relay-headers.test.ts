import { gzipSync } from 'node:zlib'
import { request } from 'node:http'
import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { expect, it } from 'vitest'
import { startRawUpstream, startUpstream } from '../harness/upstream.ts'
import { startForwardGateway } from './forward-gateway.ts'

interface RawReply {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** A client that decodes and follows nothing. */
async function ask(url: string, method = 'GET', headers: Record<string, string> = {}): Promise<RawReply> {
  const sent = request(url, { method, headers })
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) }
}

it('relays only headers that may pass, and the gateway’s own', async () => {
  await using upstream = await startUpstream((_request, response) => {
    response.writeHead(200, {
      'content-type': 'application/json',
      date: 'Sat, 01 Nov 2025 00:00:00 GMT',
      etag: 'W/"1"',
      'x-request-id': 'r1',
      'x-vendor-limit': '5',
      'x-internal': '1',
      server: 'vendor/1',
      'set-cookie': ['a=b', 'c=d'],
      'strict-transport-security': 'max-age=1',
      'content-security-policy': "default-src 'none'",
      'www-authenticate': 'Basic realm="vendor"',
      'alt-svc': 'h3=":443"',
      'toolgate-decision': 'deny',
      'toolgate-call-id': 'forged',
      'dpop-nonce': 'forged',
      connection: 'close, x-request-id',
      'x-powered-by': 'vendor',
    })
    response.end('{}')
  })
  await using gateway = await startForwardGateway({
    origin: upstream.origin,
    connector: { headers: { request: [], response: ['x-vendor-limit'] } },
  })
  const { headers } = await ask(`${gateway.origin}/x`)
  expect(headers).toEqual({
    'content-type': 'application/json',
    'content-length': '2',
    date: 'Sat, 01 Nov 2025 00:00:00 GMT',
    etag: 'W/"1"',
    'x-vendor-limit': '5',
    'toolgate-decision': 'allow',
    'toolgate-call-id': '0190f000-0000-7000-8000-000000000000',
    connection: 'keep-alive',
    'keep-alive': expect.any(String),
  })
})

it.each([404, 409, 422, 429, 500, 503])('relays the upstream’s own %d as it is', async (status) => {
  await using upstream = await startUpstream((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '7' })
    response.end('{"message":"the tool says no"}')
  })
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  const reply = await ask(`${gateway.origin}/x`)
  expect(reply.status).toBe(status)
  expect(reply.headers).toMatchObject({ 'retry-after': '7', 'toolgate-decision': 'allow' })
  expect(reply.body.toString()).toBe('{"message":"the tool says no"}')
  expect(await gateway.nextOutcome()).toMatchObject({ code: 'allowed', status, upstreamStatus: status })
})

it.each([
  ['GET', 204, undefined],
  ['DELETE', 204, undefined],
  ['GET', 304, undefined],
  ['HEAD', 200, '1234'],
])('answers %s with %d without a body and with Content-Length %s', async (method, status, length) => {
  await using upstream = await startRawUpstream((socket) => {
    const withLength = status === 204 ? '' : 'content-length: 1234\r\n'
    socket.end(`HTTP/1.1 ${status} x\r\n${withLength}etag: "v1"\r\n\r\n`)
  })
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  const reply = await ask(`${gateway.origin}/x`, method, { 'if-none-match': '"v1"' })
  expect(reply.status).toBe(status)
  expect(reply.headers['content-length']).toBe(length)
  expect(reply.headers['transfer-encoding']).toBeUndefined()
  expect(reply.headers.etag).toBe('"v1"')
  expect(reply.body).toHaveLength(0)
  expect(upstream.heads[0]).toMatch(/^if-none-match: "v1"$/m)
  expect(await gateway.nextOutcome()).toMatchObject({
    code: 'allowed',
    status,
    replyBytes: 0,
    replyDigest: '',
  })
})

it('relays gzip bytes untouched', async () => {
  const packed = gzipSync(Buffer.from(JSON.stringify({ text: 'a'.repeat(5_000) })))
  await using upstream = await startUpstream((incoming, response) => {
    expect(incoming.headers['accept-encoding']).toBe('gzip')
    response.writeHead(200, { 'content-encoding': 'gzip', vary: 'accept-encoding' })
    response.end(packed)
  })
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  const reply = await ask(`${gateway.origin}/x`, 'GET', { 'accept-encoding': 'gzip' })
  expect(reply.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' })
  expect(reply.body).toEqual(packed)
})

it('relays bytes beyond ASCII in a header as they came', async () => {
  const name = Buffer.from('attachment; filename="Übersicht.pdf"', 'utf8').toString('latin1')
  await using upstream = await startRawUpstream((socket) => {
    socket.end(`HTTP/1.1 200 OK\r\ncontent-disposition: ${name}\r\ncontent-length: 0\r\n\r\n`, 'latin1')
  })
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  expect((await ask(`${gateway.origin}/x`)).headers['content-disposition']).toBe(name)
})

it('ignores trailers', async () => {
  await using upstream = await startRawUpstream((socket) => {
    socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nset-cookie: a=b\r\n\r\n')
  })
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  const reply = await ask(`${gateway.origin}/x`)
  expect(reply.body.toString()).toBe('ok')
  expect(reply.headers['content-length']).toBe('2')
})
