import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { startListener } from '../harness/listener.ts'
import type { TestListener } from '../harness/listener.ts'
import { connectRaw } from '../harness/raw-client.ts'

const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code))
const NAMES = [
  'Host',
  'Content-Length',
  'content-length',
  'Transfer-Encoding',
  'Connection',
  'X_Y',
  'DPoP',
  'Accept',
  'A',
]
const VALUES = [
  'chunked',
  '0',
  '1',
  '+1',
  'a',
  'a, b',
  '"',
  '\t',
  ' ',
  '',
  '\r',
  '\n',
  '\0',
  '\xff',
  '\r\n x',
]
const PARTS = ['/', 'a', '..', '%2e', '%2F', '%00', ';', '?', '#', '\\', ' ', '\xe9', '%', 'http://b/']
const METHODS = ['GET', 'POST', 'HEAD', 'OPTIONS', 'get', 'CONNECT', 'TRACE', 'G ET']
const VERSIONS = ['HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'http/1.1', '']
const ENDS = ['\r\n', '\r\n', '\r\n', '\n', '\r']

const text = (awkward: readonly string[]): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...awkward) }, { weight: 1, arbitrary: byte }), {
      maxLength: 4,
    })
    .map((parts) => parts.join(''))

const request = fc.record({
  method: fc.oneof(
    { weight: 4, arbitrary: fc.constant('GET') },
    { weight: 1, arbitrary: fc.constantFrom(...METHODS) },
  ),
  target: fc.oneof(
    { weight: 1, arbitrary: fc.constant('/a') },
    { weight: 2, arbitrary: text(PARTS).map((path) => `/${path}`) },
    { weight: 1, arbitrary: text(PARTS) },
  ),
  version: fc.oneof(
    { weight: 6, arbitrary: fc.constant('HTTP/1.1') },
    { weight: 1, arbitrary: fc.constantFrom(...VERSIONS) },
  ),
  headers: fc.array(fc.tuple(fc.oneof(fc.constantFrom(...NAMES), text(NAMES)), text(VALUES)), {
    maxLength: 4,
  }),
  end: fc.constantFrom(...ENDS),
})

it('hands on exactly the method, target and headers of the wire, or refuses, for any bytes', async () => {
  await using gateway = await startListener({ config: { headersTimeoutMs: 200, requestTimeoutMs: 200 } })
  let passed = 0
  await fc.assert(
    fc.asyncProperty(request, async ({ method, target, version, headers, end }) => {
      const lines = headers.map(([name, value]) => `${name}: ${value}${end}`).join('')
      const bytes = `${method} ${target} ${version}${end}Host: a${end}${lines}${end}`
      const before = gateway.received.length
      await exchange(gateway, bytes)
      const received = gateway.received[before]
      if (received === undefined) return
      passed += 1
      expect([received.method, received.target, ...received.headers.flat]).toEqual(readStrictly(bytes))
      expect(gateway.received).toHaveLength(before + 1)
    }),
    { numRuns: 1500 },
  )
  // Were everything refused, nothing would have been shown.
  expect(passed).toBeGreaterThan(50)
})

/** The one reading of RFC 9112: every line ends in CRLF, the first empty one ends the header section. */
function readStrictly(bytes: string): string[] {
  const [head = ''] = bytes.split('\r\n\r\n', 1)
  const [requestLine = '', ...lines] = head.split('\r\n')
  // §3 lets a server take several spaces around the target for one.
  const [method = '', ...rest] = requestLine.split(/ +/)
  const fields = lines.flatMap((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).replaceAll(/^[\t ]+|[\t ]+$/g, '')]
  })
  return [method, rest.slice(0, -1).join(' '), ...fields]
}

/** Sends the bytes and the end of the connection, and waits until the gateway has had its say. */
async function exchange({ port }: TestListener, bytes: string): Promise<void> {
  await using client = await connectRaw(port)
  client.send(bytes)
  client.socket.end()
  await client.closed
}
