import type { Socket } from 'node:net'
import { expect, it } from 'vitest'
import { startRawUpstream } from '../harness/upstream.ts'
import { startForwardGateway } from './forward-gateway.ts'

const HEADER_BOMB = `HTTP/1.1 200 OK\r\nx-bomb: ${'a'.repeat(80 * 1024)}\r\ncontent-length: 2\r\n\r\nok`

it.each([
  ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
  ['a garbage status', 'HTTP/1.1 2x0 OK\r\ncontent-length: 0\r\n\r\n'],
  ['a header section of 80 KiB', HEADER_BOMB],
  [
    'Content-Length and Transfer-Encoding',
    'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  ],
  ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok'],
  ['a list of lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\nok'],
  ['a negative length', 'HTTP/1.1 200 OK\r\ncontent-length: -2\r\n\r\nok'],
  ['a bare CR in a header', 'HTTP/1.1 200 OK\r\netag: a\rset-cookie: b\r\ncontent-length: 0\r\n\r\n'],
  ['a NUL in a header', 'HTTP/1.1 200 OK\r\netag: a\0b\r\ncontent-length: 0\r\n\r\n'],
  ['a control character in a header', 'HTTP/1.1 200 OK\r\netag: a\u0001b\r\ncontent-length: 0\r\n\r\n'],
  ['a folded header', 'HTTP/1.1 200 OK\r\netag: a\r\n b\r\ncontent-length: 0\r\n\r\n'],
  ['a space before the colon', 'HTTP/1.1 200 OK\r\netag : a\r\ncontent-length: 0\r\n\r\n'],
  [
    'an upgrade nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n',
  ],
  [
    'a continue nobody asked for',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n',
  ],
])('refuses an answer with %s', async (_what, answer) => {
  await using upstream = await startRawUpstream((socket) => void socket.end(answer, 'latin1'))
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  const reply = await fetch(`${gateway.origin}/x`, { method: 'POST' })
  expect(reply.status).toBe(502)
  expect(await reply.json()).toMatchObject({ code: 'upstream.protocol' })
})

it.each<[string, (socket: Socket) => void]>([
  ['closes', (socket) => void socket.end()],
  ['resets', (socket) => void socket.resetAndDestroy()],
  ['closes within the header section', (socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-')],
])('says upstream.protocol when the upstream %s instead of answering a write', async (_what, misbehave) => {
  await using upstream = await startRawUpstream(misbehave)
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  const reply = await fetch(`${gateway.origin}/x`, { method: 'POST' })
  expect(reply.status).toBe(502)
  // Not upstream.unreachable, which invites to try again: the write may have been done.
  expect(await reply.json()).toMatchObject({ code: 'upstream.protocol' })
  expect(upstream.heads).toHaveLength(1)
})

it('keeps what the upstream sent and what it was sent out of the refusal', async () => {
  await using upstream = await startRawUpstream(
    (socket) => void socket.end('garbage with-private-data\r\n\r\n'),
  )
  await using gateway = await startForwardGateway({
    origin: upstream.origin,
    credential: { type: 'header', name: 'x-api-key', value: { source: 'env', name: 'KEY' } },
    environment: { KEY: 'vendor-secret' },
  })
  await fetch(`${gateway.origin}/x`)
  const { cause, detail } = gateway.refusals[0] ?? {}
  expect(cause).toBeInstanceOf(Error)
  const everything = JSON.stringify([detail, cause, Object.getOwnPropertyDescriptors(cause as Error)])
  expect(everything).not.toMatch(/private-data|vendor-secret/)
})

it('ignores interim answers', async () => {
  const hints = 'HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n'
  await using upstream = await startRawUpstream((socket) => {
    socket.end(`${hints}${hints}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok`)
  })
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  const reply = await fetch(`${gateway.origin}/x`)
  expect(await reply.text()).toBe('ok')
  expect(reply.headers.get('link')).toBeNull()
})
