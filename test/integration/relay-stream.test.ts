import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { expect, it } from 'vitest'
import { startUpstream } from '../harness/upstream.ts'
import { settled, startForwardGateway } from './forward-gateway.ts'

async function get(url: string): Promise<IncomingMessage> {
  const sent = request(url).on('error', () => undefined)
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return response.on('error', () => undefined)
}

it('streams 200 MB no faster than the caller reads, and digests what it sent', async () => {
  const total = 200 * 1024 * 1024
  const piece = Buffer.alloc(256 * 1024, 'x')
  let written = 0
  const pump = (response: ServerResponse): void => {
    while (written < total) {
      written += piece.length
      if (!response.write(piece)) {
        response.once('drain', () => pump(response))
        return
      }
    }
    response.end()
  }
  await using upstream = await startUpstream((_request, response) => {
    response.writeHead(200, { 'content-length': String(total) })
    pump(response)
  })
  await using gateway = await startForwardGateway({ origin: upstream.origin, stallTimeoutMs: 30_000 })
  const response = await get(`${gateway.origin}/archive`)
  await settled(() => written)
  // The rest waits in the upstream: what is on the way sits in the buffers of sockets.
  expect(written).toBeLessThan(32 * 1024 * 1024)
  const digest = createHash('sha256')
  let received = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    digest.update(chunk)
    received += chunk.length
  }
  expect(received).toBe(total)
  expect(await gateway.nextOutcome()).toMatchObject({
    code: 'allowed',
    replyBytes: total,
    replyDigest: digest.digest('hex'),
  })
})

it('hands every server-sent event on at once', async () => {
  const opened = Promise.withResolvers<ServerResponse>()
  await using upstream = await startUpstream((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
    response.flushHeaders()
    opened.resolve(response)
  })
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  // The header section comes before there is any event.
  const response = await get(`${gateway.origin}/events`)
  expect(response.headers['x-accel-buffering']).toBe('no')
  const events = await opened.promise
  for (const event of ['data: one\n\n', 'data: two\n\n']) {
    events.write(event)
    const [chunk] = (await once(response, 'data')) as [Buffer]
    expect(chunk.toString()).toBe(event)
  }
  events.end()
  await once(response, 'end')
  expect(await gateway.nextOutcome()).toMatchObject({ code: 'allowed', replyBytes: 22 })
})

it('leaves a caller that stops reading, and the upstream with it', async () => {
  const left = Promise.withResolvers<void>()
  await using upstream = await startUpstream((incoming, response) => {
    incoming.socket.on('close', () => left.resolve())
    response.writeHead(200)
    response.write(Buffer.alloc(32 * 1024 * 1024))
  })
  await using gateway = await startForwardGateway({ origin: upstream.origin, stallTimeoutMs: 100 })
  const response = await get(`${gateway.origin}/x`)
  response.pause()
  await left.promise
  expect(await gateway.nextOutcome()).toMatchObject({ code: 'client.gone' })
})
