import { expect, it } from 'vitest'
import { startListener } from '../harness/listener.ts'
import { until } from '../harness/until.ts'
import { connectRaw, sendRaw } from '../harness/raw-client.ts'

const HOST = 'Host: a\r\n'

it.each([
  ['after CONNECT', `CONNECT a:443 HTTP/1.1\r\n${HOST}\r\n`],
  ['after nonsense', 'nonsense\r\n\r\n'],
  ['in the middle of its headers', `GET /a HTTP/1.1\r\n${HOST}`],
  ['in the middle of its body', `POST /a HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\nbody`],
  ['with its answer on the way', `GET /a HTTP/1.1\r\n${HOST}\r\n`],
])('outlives a client that resets the connection %s', async (_, bytes) => {
  await using gateway = await startListener()
  const clients = await Promise.all(Array.from({ length: 50 }, () => connectRaw(gateway.port)))
  for (const { send, socket } of clients) {
    send(bytes)
    setImmediate(() => socket.resetAndDestroy())
  }
  await Promise.all(clients.map(({ closed }) => closed))
  await until(() => gateway.listener.callsInFlight === 0)
  expect((await sendRaw(gateway.port, `GET /b HTTP/1.1\r\n${HOST}\r\n`)).status).toBe(200)
})
