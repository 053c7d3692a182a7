import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { HeaderList } from '../../gateway/lib/header-list.ts'
import { startRawUpstream, startUpstream } from '../harness/upstream.ts'
import { settled, startForwardGateway } from './forward-gateway.ts'

it.each([
  ['application/json', '{"id": 12345678901234567890, "a":1,\n"a":2, "ü": "\\u00fc"}'],
  ['application/x-www-form-urlencoded', 'blocks=%5B%7B%22type%22%3A%22section%22%7D%5D&metadata[a]=b+c'],
  ['application/octet-stream', 'bytes \u0000 and more'],
])('sends a body of %s byte for byte, with its length', async (contentType, body) => {
  await using upstream = await startUpstream((_request, response) => void response.end())
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  await fetch(`${gateway.origin}/x`, { method: 'POST', body, headers: { 'content-type': contentType } })
  const seen = await upstream.nextRequest()
  const headers = new HeaderList(seen.headers)
  expect(seen.body.toString()).toBe(body)
  expect(headers.get('content-length')).toBe(String(Buffer.byteLength(body)))
  expect(headers.has('transfer-encoding')).toBe(false)
  expect(headers.get('content-type')).toBe(contentType)
})

it('sends a multipart body of unknown length as chunks, its boundary unchanged', async () => {
  await using upstream = await startUpstream((_request, response) => void response.end())
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  const body = '--cut\r\nContent-Disposition: form-data; name="file"\r\n\r\ncontent\r\n--cut--\r\n'
  const sent = request(`${gateway.origin}/upload`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary="cut"', 'transfer-encoding': 'chunked' },
  }).on('error', () => undefined)
  for (const piece of body.match(/.{1,7}/gs) ?? []) sent.write(piece)
  sent.end()
  const seen = await upstream.nextRequest()
  expect(seen.body.toString()).toBe(body)
  expect(new HeaderList(seen.headers).get('transfer-encoding')).toBe('chunked')
  expect(new HeaderList(seen.headers).get('content-type')).toBe('multipart/form-data; boundary="cut"')
  sent.destroy()
})

it.each([
  ['POST', '0'],
  ['GET', undefined],
  ['DELETE', undefined],
])('sends a %s without a body with Content-Length %s', async (method, length) => {
  await using upstream = await startRawUpstream((socket) => {
    socket.end('HTTP/1.1 204 No Content\r\n\r\n')
  })
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  await fetch(`${gateway.origin}/x`, { method })
  const found = /^content-length: (\d+)$/im.exec(upstream.heads[0] ?? '')
  expect(found?.[1]).toBe(length)
  expect(upstream.heads[0]).not.toMatch(/^transfer-encoding/im)
})

it('relays an answer that comes before the body was read, and closes the connection', async () => {
  await using upstream = await startUpstream(
    (_request, response) => {
      response.writeHead(413, { 'content-length': '9' })
      response.end('too large')
    },
    { early: true },
  )
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  const socket = connect(gateway.port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1'))).on('error', () => undefined)
  const closed = new Promise((resolve) => socket.on('close', resolve))
  socket.write(
    'POST /upload HTTP/1.1\r\nhost: gateway.test\r\ncontent-type: application/octet-stream\r\ncontent-length: 4000000\r\n\r\n',
  )
  // A client that writes everything before it reads: whoever closes on it early takes its answer away.
  socket.write(Buffer.alloc(4_000_000, 'x'))
  await closed
  expect(text).toMatch(/^HTTP\/1\.1 413 /)
  expect(text).toMatch(/^connection: close$/im)
  expect(text).toMatch(/too large$/)
  expect(await gateway.nextOutcome()).toMatchObject({ code: 'allowed', upstreamStatus: 413 })
})

it('does not read a body from the caller faster than the upstream takes it', async () => {
  const total = 64 * 1024 * 1024
  const upstreamReads = Promise.withResolvers<void>()
  let received = 0
  await using upstream = await startUpstream(
    (incoming, response) => {
      void upstreamReads.promise.then(() =>
        incoming.on('data', (chunk: Buffer) => (received += chunk.length)).on('end', () => response.end()),
      )
    },
    { early: true },
  )
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  const sent = request(`${gateway.origin}/upload`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(total) },
  })
  const answered = once(sent, 'response')
  const piece = Buffer.alloc(256 * 1024)
  let written = 0
  const pump = (): void => {
    while (written < total) {
      written += piece.length
      if (!sent.write(piece)) {
        sent.once('drain', pump)
        return
      }
    }
    sent.end()
  }
  pump()
  await settled(() => written)
  // What is on the way sits in the buffers of four sockets, not in the gateway.
  expect(written).toBeLessThan(total / 2)
  upstreamReads.resolve()
  await answered
  expect(received).toBe(total)
})
