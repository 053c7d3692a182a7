import { expect, it } from 'vitest'
import type { Received } from '../../gateway/exchange.ts'
import type { Reply } from '../../gateway/listen/reply.ts'
import { startListener } from '../harness/listener.ts'
import { connectRaw } from '../harness/raw-client.ts'

const HEAD = 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n'

it('asks for a body only once the call may send it', async () => {
  await using gateway = await startListener({ onReceived: readBody })
  await using client = await connectRaw(gateway.port)
  client.send(HEAD)
  expect((await client.response()).status).toBe(100)
  client.send('body')
  const response = await client.response()
  expect(response.status).toBe(200)
  expect(response.body.toString()).toBe('body')
  expect(response.header('connection')).toBe('keep-alive')
})

it('refuses without asking for the body, and closes, because the body may come or not', async () => {
  await using gateway = await startListener({
    onReceived: (received, reply) => reply.refuse({ code: 'policy.denied' }, received),
  })
  await using client = await connectRaw(gateway.port)
  client.send(HEAD)
  const response = await client.response()
  expect(response.status).toBe(403)
  expect(response.header('connection')).toBe('close')
  await client.closed
})

it('ignores the expectation of an HTTP/1.0 client, as RFC 9110 §10.1.1 demands', async () => {
  await using gateway = await startListener({ onReceived: readBody })
  await using client = await connectRaw(gateway.port)
  client.send(HEAD.replace('HTTP/1.1', 'HTTP/1.0') + 'body')
  const response = await client.response()
  expect(response.status).toBe(200)
  expect(response.body.toString()).toBe('body')
})

async function readBody(received: Received, reply: Reply): Promise<void> {
  reply.continue()
  const chunks = await received.arrival.request.toArray()
  const body = Buffer.concat(chunks as Buffer[])
  reply.begin(200, ['Content-Length', String(body.length)], received).end(body)
}
