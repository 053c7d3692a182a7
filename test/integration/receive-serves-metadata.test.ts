import { expect, it } from 'vitest'
import { startListener } from '../harness/listener.ts'
import { sendRaw } from '../harness/raw-client.ts'

const PATH = '/.well-known/oauth-protected-resource'

it('serves well-known documents to anybody, and leaves other paths to the connectors', async () => {
  await using gateway = await startListener({
    wellKnown: (path) =>
      path === PATH
        ? { status: 200, headers: ['Content-Type', 'application/json'], body: Buffer.from('{}') }
        : undefined,
  })
  const got = await sendRaw(gateway.port, `GET ${PATH}?x HTTP/1.1\r\nHost: a\r\n\r\n`)
  expect([got.status, got.body.toString(), got.header('content-type')]).toEqual([
    200,
    '{}',
    'application/json',
  ])
  const head = await sendRaw(gateway.port, `HEAD ${PATH} HTTP/1.1\r\nHost: a\r\n\r\n`)
  expect([head.status, head.header('content-length')]).toEqual([200, '2'])
  expect(gateway.received).toEqual([])

  await sendRaw(gateway.port, `GET /.well-known/other HTTP/1.1\r\nHost: a\r\n\r\n`)
  await sendRaw(gateway.port, `POST ${PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`)
  expect(gateway.received.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'GET /.well-known/other',
    `POST ${PATH}`,
  ])
})
