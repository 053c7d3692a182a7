import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'
const BUDGET_MS = 3000

/** A generator that gives the same bytes for the same seed, so that what breaks the gateway can be sent again. */
function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const PIECES = [
  'GET ', 'POST ', 'CONNECT ', 'PRI * ', 'OPTIONS * ', PULL, '/slack/api/chat.postMessage', '/.well-known/oauth-protected-resource',
  ' HTTP/1.1\r\n', ' HTTP/1.0\r\n', ' HTTP/2.0\r\n', 'Host: a\r\n', 'Host: \r\n', 'Content-Length: 5\r\n', 'Content-Length: -1\r\n',
  'Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: xchunked\r\n', 'Expect: 100-continue\r\n', 'Expect: 200\r\n', 'Upgrade: h2c\r\n',
  'Connection: upgrade\r\n', 'Connection: close\r\n', 'Authorization: DPoP a.b.c\r\n', 'DPoP: a.b.c\r\n', 'Client-Cert: :AA==:\r\n',
  'Trailer: Authorization\r\n', '__proto__: 1\r\n', 'Toolgate-Task: \u0000\r\n', 'Content-Type: multipart/form-data; boundary=a\r\n', '\r\n', '\r\n\r\n',
  '0\r\n\r\n', '5\r\nhello\r\n', 'ffffffffffffffff\r\n', '\u0000', '\n', '%', '%ff', '..', '//', '\t', '\u00ff', 'x'.repeat(9000),
] // prettier-ignore

test('bytes of no protocol, on many connections, leave it answering', async () => {
  const faults: unknown[] = []
  const note = (cause: unknown): void => void faults.push(cause)
  process.on('unhandledRejection', note).on('uncaughtException', note)
  try {
    await using toolgate = await startTestGateway()
    const random = createRandom(0x7001)
    const endMs = performance.now() + BUDGET_MS
    let connections = 0
    while (performance.now() < endMs) {
      await Promise.all(Array.from({ length: 32 }, () => shout(toolgate.gateway.port, random)))
      connections += 32
    }
    expect(connections).toBeGreaterThan(100)
    expect((await toolgate.send('GET', PULL)).status).toBe(200)
    expect(toolgate.gateway.readiness()).toEqual({})
    const faulted = (await toolgate.logLines()).filter((line) =>
      ['error', 'fatal', 50, 60].includes(line['level'] as string),
    )
    expect(faulted).toEqual([])
    expect(faults).toEqual([])
  } finally {
    process.off('unhandledRejection', note).off('uncaughtException', note)
  }
}, 30_000)

function shout(port: number, random: (below: number) => number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined).on('close', () => resolve())
    socket.resume()
    const count = 1 + random(24)
    for (let index = 0; index < count; index += 1) {
      const piece =
        random(8) === 0 ? noise(random) : Buffer.from(PIECES[random(PIECES.length)] ?? '', 'latin1')
      socket.write(piece)
    }
    if (random(2) === 0) socket.end()
    else setImmediate(() => socket.resetAndDestroy())
  })
}

function noise(random: (below: number) => number): Buffer {
  return Buffer.from(Array.from({ length: 1 + random(200) }, () => random(256)))
}
