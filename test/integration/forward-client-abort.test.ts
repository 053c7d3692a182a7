import { createServer, request } from 'node:http'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { sendStream, sendWhole } from '../../gateway/egress/send-body.ts'
import type { SentBody } from '../../gateway/egress/send-body.ts'
import type { BodySink, UpstreamBody } from '../../gateway/egress/upstream.ts'
import { GatewayFault } from '../../gateway/fault.ts'
import { startUpstream } from '../harness/upstream.ts'
import { startForwardGateway } from './forward-gateway.ts'

it('leaves the upstream when the caller leaves before an answer', async () => {
  let upstreamLeft: () => void = () => undefined
  const left = new Promise<void>((resolve) => (upstreamLeft = resolve))
  await using upstream = await startUpstream((incoming) => void incoming.socket.on('close', upstreamLeft))
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  const sent = request(`${gateway.origin}/x`, { method: 'POST' }).on('error', () => undefined)
  sent.end()
  await upstream.nextRequest()
  sent.destroy()
  await left
  expect(await gateway.nextOutcome()).toMatchObject({ code: 'client.gone', upstreamStatus: 0 })
})

it('leaves the upstream when the caller leaves within the answer', async () => {
  let upstreamLeft: () => void = () => undefined
  const left = new Promise<void>((resolve) => (upstreamLeft = resolve))
  await using upstream = await startUpstream((incoming, response) => {
    incoming.socket.on('close', upstreamLeft)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: 1\n\n')
  })
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  const sent = request(`${gateway.origin}/events`).on('error', () => undefined)
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  await once(response, 'data')
  sent.destroy()
  await left
  expect(await gateway.nextOutcome()).toMatchObject({
    code: 'client.gone',
    upstreamStatus: 200,
    replyBytes: 9,
  })
})

it('leaves the upstream when the caller breaks its own body off', async () => {
  let upstreamLeft: () => void = () => undefined
  const left = new Promise<void>((resolve) => (upstreamLeft = resolve))
  await using upstream = await startUpstream(
    (incoming) => {
      incoming.on('error', () => undefined).resume()
      incoming.socket.on('close', upstreamLeft)
    },
    { early: true },
  )
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  const sent = request(`${gateway.origin}/upload`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream', 'content-length': '1000' },
  }).on('error', () => undefined)
  sent.write('part')
  await upstream.nextRequest()
  sent.destroy()
  await left
  expect(await gateway.nextOutcome()).toMatchObject({ code: 'client.gone' })
})

it('does not send a call whose caller left while it waited for a connection', async () => {
  const answers = Promise.withResolvers<void>()
  await using upstream = await startUpstream((_incoming, response) => {
    void answers.promise.then(() => response.end('{}'))
  })
  await using gateway = await startForwardGateway({ origin: upstream.origin, limits: { connections: 1 } })
  const first = fetch(`${gateway.origin}/slow`)
  await upstream.nextRequest()
  const waiting = request(`${gateway.origin}/left`, { method: 'POST' }).on('error', () => undefined)
  waiting.end()
  await expect.poll(() => gateway.egress.pools()[0]?.queued).toBe(1)
  waiting.destroy()
  expect(await gateway.nextOutcome()).toMatchObject({ code: 'client.gone' })
  answers.resolve()
  await (await first).text()
  await fetch(`${gateway.origin}/after`)
  expect(upstream.requests.map(({ target }) => target)).toEqual(['/slow', '/after'])
})

it('ends a call that the gateway cuts short before an answer with the reason', async () => {
  await using upstream = await startUpstream(() => undefined)
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  const asked = fetch(`${gateway.origin}/x`, { method: 'POST' })
  await upstream.nextRequest()
  gateway.cut(new GatewayFault('gateway.draining', 'the gateway ended the call'))
  expect(await (await asked).json()).toMatchObject({ code: 'gateway.draining' })
})

it('breaks a call off that the gateway cuts short within the answer', async () => {
  await using upstream = await startUpstream((_incoming, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: 1\n\n')
  })
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  const reply = await fetch(`${gateway.origin}/events`)
  gateway.cut(new GatewayFault('gateway.draining', 'the gateway ended the call'))
  await expect(reply.text()).rejects.toThrow('terminated')
  expect(await gateway.nextOutcome()).toMatchObject({
    code: 'gateway.draining',
    detail: 'the gateway ended the call',
  })
})

it('writes nothing to a caller that left at the very moment of the answer', async () => {
  const sent = Promise.withResolvers<SentBody[]>()
  const server = createServer((_request, response) => {
    response.on('error', sent.reject).writeHead(200)
    const body: UpstreamBody = {
      whole: undefined,
      consume: (sink) => {
        response.destroy()
        sink.write(Buffer.from('late'))
        sink.end()
      },
      resume: () => undefined,
      abort: () => undefined,
    }
    const options = {
      maxBytes: Number.POSITIVE_INFINITY,
      stallTimeoutMs: 1_000,
      signal: new AbortController().signal,
      through: (sink: BodySink) => sink,
    }
    const streamed = sendStream(body, response, options)
    void streamed.then((one) =>
      setImmediate(() => sent.resolve([one, sendWhole(response, Buffer.from('late'))])),
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  await expect(fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)).rejects.toThrow(
    TypeError,
  )
  expect(await sent.promise).toMatchObject([
    { end: 'client_gone', bytes: 0 },
    { end: 'client_gone', bytes: 0 },
  ])
  server.close()
})
