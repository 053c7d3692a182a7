import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { expect, it } from 'vitest'
import { startRawUpstream } from '../harness/upstream.ts'
import { startForwardGateway } from './forward-gateway.ts'

/** Everything a plain socket gets for this request, and whether the connection ended in a reset. */
async function readRaw(port: number, request: string): Promise<{ text: string; reset: boolean }> {
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  let reset = false
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => (reset = true))
  socket.write(request)
  // `once` would reject for the very error that is looked for.
  await new Promise((resolve) => socket.on('close', resolve))
  return { text: Buffer.concat(chunks).toString('latin1'), reset }
}

const BEGUN = 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n'

it.each<[string, string, (socket: Socket) => void]>([
  [
    'a body shorter than its length',
    `${BEGUN}content-length: 100\r\n\r\npart`,
    (socket) => void socket.end(),
  ],
  [
    'a reset in the body',
    `${BEGUN}content-length: 100\r\n\r\npart`,
    (socket) => void socket.resetAndDestroy(),
  ],
  [
    'chunks without an end',
    `${BEGUN}transfer-encoding: chunked\r\n\r\n4\r\npart\r\n`,
    (socket) => void socket.end(),
  ],
  ['a chunk that is none', `${BEGUN}transfer-encoding: chunked\r\n\r\n4\r\npart\r\nzz\r\n`, () => undefined],
])('breaks the caller’s connection off after %s', async (_what, begun, misbehave) => {
  await using upstream = await startRawUpstream((socket) => {
    socket.write(begun)
    setImmediate(() => misbehave(socket))
  })
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  const { text } = await readRaw(gateway.port, 'GET /x HTTP/1.1\r\nhost: gateway.test\r\n\r\n')
  // Neither the announced length nor the last chunk was reached, so no client takes this for the whole.
  expect(text).not.toMatch(/\r\n0\r\n\r\n$/)
  const outcome = await gateway.nextOutcome()
  expect(outcome).toMatchObject({ code: 'upstream.truncated', status: 200, upstreamStatus: 200 })
})

it('resets the connection of an HTTP/1.0 client, to whom an ordinary end would look like the whole', async () => {
  await using upstream = await startRawUpstream((socket) => {
    socket.write(`${BEGUN}transfer-encoding: chunked\r\n\r\n4\r\npart\r\n`)
    setImmediate(() => socket.destroy())
  })
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  const { reset } = await readRaw(gateway.port, 'GET /x HTTP/1.0\r\nhost: gateway.test\r\n\r\n')
  expect(reset).toBe(true)
})

it('takes a body that only the end of the connection delimits for whole', async () => {
  await using upstream = await startRawUpstream((socket) => void socket.end(`${BEGUN}\r\nall of it`))
  await using gateway = await startForwardGateway({ origin: upstream.origin })
  expect(await (await fetch(`${gateway.origin}/x`)).text()).toBe('all of it')
  expect(await gateway.nextOutcome()).toMatchObject({ code: 'allowed', replyBytes: 9 })
})
