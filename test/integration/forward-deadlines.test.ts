import { expect, it } from 'vitest'
import { startRawUpstream, startUpstream } from '../harness/upstream.ts'
import { startForwardGateway } from './forward-gateway.ts'

it('says upstream.timeout when no answer begins in time, and leaves the upstream', async () => {
  let closed: () => void = () => undefined
  const left = new Promise<void>((resolve) => (closed = resolve))
  await using upstream = await startUpstream((request) => void request.socket.on('close', closed))
  await using gateway = await startForwardGateway({ origin: upstream.origin, limits: { replyTimeoutMs: 50 } })
  const reply = await fetch(`${gateway.origin}/x`, { method: 'POST' })
  expect(reply.status).toBe(504)
  expect(await reply.json()).toMatchObject({ code: 'upstream.timeout' })
  await left
})

it('says upstream.timeout when a header section drips', async () => {
  await using upstream = await startRawUpstream((socket) => {
    socket.write('HTTP/1.1 200 OK\r\n')
    const drip = setInterval(() => socket.write('x-drip: 1\r\n'), 10)
    socket.on('close', () => clearInterval(drip))
  })
  await using gateway = await startForwardGateway({
    origin: upstream.origin,
    limits: { replyTimeoutMs: 100 },
  })
  const reply = await fetch(`${gateway.origin}/x`)
  expect(await reply.json()).toMatchObject({ code: 'upstream.timeout' })
})

it('breaks off when a body that had begun falls silent', async () => {
  await using upstream = await startUpstream((_request, response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('part')
  })
  await using gateway = await startForwardGateway({ origin: upstream.origin, limits: { idleTimeoutMs: 50 } })
  const reply = await fetch(`${gateway.origin}/x`)
  await expect(reply.text()).rejects.toThrow('terminated')
  expect(await gateway.nextOutcome()).toMatchObject({
    code: 'upstream.truncated',
    detail: 'UND_ERR_BODY_TIMEOUT',
    replyBytes: 4,
  })
})
