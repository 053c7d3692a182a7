import { expect, it } from 'vitest'
import { startRawUpstream } from '../harness/upstream.ts'
import { startForwardGateway } from './forward-gateway.ts'

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

it('sends a read once more when its kept connection closed unanswered', async () => {
  await using upstream = await startRawUpstream((socket, _head, count) => {
    if (count === 2) socket.destroy()
    else socket.write(OK)
  })
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  await fetch(`${gateway.origin}/first`)
  const reply = await fetch(`${gateway.origin}/second`)
  expect(reply.status).toBe(200)
  expect(upstream.heads).toHaveLength(3)
  expect(gateway.events).toEqual(['repeated'])
})

it('gives a read up after the second time', async () => {
  await using upstream = await startRawUpstream((socket) => void socket.destroy())
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  const reply = await fetch(`${gateway.origin}/x`)
  expect(await reply.json()).toMatchObject({ code: 'upstream.protocol' })
  expect(upstream.heads).toHaveLength(2)
})

it.each([
  ['a POST', 'POST', {}],
  ['a DELETE', 'DELETE', {}],
  ['a GET that writes', 'GET', { access: 'write' as const }],
])('never sends %s again', async (_what, method, operation) => {
  await using upstream = await startRawUpstream((socket) => void socket.destroy())
  await using gateway = await startForwardGateway({ origin: upstream.origin, operation })
  const reply = await fetch(`${gateway.origin}/x`, { method })
  expect(reply.status).toBe(502)
  expect(upstream.heads).toHaveLength(1)
})

it('never sends a read again once an answer had begun', async () => {
  await using upstream = await startRawUpstream((socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-le'))
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  expect((await fetch(`${gateway.origin}/x`)).status).toBe(502)
  expect(upstream.heads).toHaveLength(1)
})
