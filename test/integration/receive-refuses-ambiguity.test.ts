import { describe, expect, it } from 'vitest'
import type { RefusalCode } from '../../gateway/refusal.ts'
import { startListener } from '../harness/listener.ts'
import { until } from '../harness/until.ts'
import { connectRaw, sendRaw } from '../harness/raw-client.ts'
import type { RawResponse } from '../harness/raw-client.ts'

const HOST = 'Host: gateway.zyx.example\r\n'

/** Bytes as an attacker would send them, and the one answer to each. */
const attacks: readonly (readonly [string, string, RefusalCode])[] = [
  ['no Host', 'GET /a HTTP/1.1\r\n\r\n', 'request.malformed'],
  ['no Host in HTTP/1.0', 'GET /a HTTP/1.0\r\n\r\n', 'request.malformed'],
  ['two Hosts', `GET /a HTTP/1.1\r\n${HOST}Host: evil.example\r\n\r\n`, 'request.ambiguous'],
  ['an empty Host', 'GET /a HTTP/1.1\r\nHost:\r\n\r\n', 'request.malformed'],
  ['a Host with a path', 'GET /a HTTP/1.1\r\nHost: a/b?c\r\n\r\n', 'request.malformed'],
  ['a Host with userinfo', 'GET /a HTTP/1.1\r\nHost: a@b\r\n\r\n', 'request.malformed'],
  ['absolute-form', `GET http://evil.example/a HTTP/1.1\r\n${HOST}\r\n`, 'request.target_invalid'],
  ['asterisk-form', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, 'request.target_invalid'],
  ['authority-form', `CONNECT evil.example:443 HTTP/1.1\r\n${HOST}\r\n`, 'request.target_invalid'],
  ['a dot segment', `GET /a/../b HTTP/1.1\r\n${HOST}\r\n`, 'request.target_invalid'],
  ['an encoded dot segment', `GET /a/%2e%2E/b HTTP/1.1\r\n${HOST}\r\n`, 'request.target_invalid'],
  ['a half-encoded dot segment', `GET /a/.%2e/b HTTP/1.1\r\n${HOST}\r\n`, 'request.target_invalid'],
  ['an empty segment', `GET //a HTTP/1.1\r\n${HOST}\r\n`, 'request.target_invalid'],
  ['a path parameter', `GET /a;x=1/b HTTP/1.1\r\n${HOST}\r\n`, 'request.target_invalid'],
  ['a backslash', `GET /a\\b HTTP/1.1\r\n${HOST}\r\n`, 'request.target_invalid'],
  ['an encoded backslash', `GET /a%5cb HTTP/1.1\r\n${HOST}\r\n`, 'request.target_invalid'],
  ['an encoded NUL', `GET /a%00 HTTP/1.1\r\n${HOST}\r\n`, 'request.target_invalid'],
  ['a doubly encoded slash', `GET /a%252Fb HTTP/1.1\r\n${HOST}\r\n`, 'request.target_invalid'],
  ['a broken encoding', `GET /a%2 HTTP/1.1\r\n${HOST}\r\n`, 'request.target_invalid'],
  ['an overlong encoding', `GET /a%c0%af HTTP/1.1\r\n${HOST}\r\n`, 'request.target_invalid'],
  ['a fragment', `GET /a#b HTTP/1.1\r\n${HOST}\r\n`, 'request.target_invalid'],
  ['a byte beyond ASCII', `GET /\xe9 HTTP/1.1\r\n${HOST}\r\n`, 'request.malformed'],
  ['a broken encoding in the query', `GET /a?b=%zz HTTP/1.1\r\n${HOST}\r\n`, 'request.target_invalid'],
  ['Latin-1 in the query', `GET /a?b=%e9 HTTP/1.1\r\n${HOST}\r\n`, 'request.target_invalid'],
  [
    'both lengths',
    `POST /a HTTP/1.1\r\n${HOST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'request.ambiguous',
  ],
  [
    'two lengths',
    `POST /a HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
    'request.ambiguous',
  ],
  ['a list of lengths', `POST /a HTTP/1.1\r\n${HOST}Content-Length: 1, 1\r\n\r\na`, 'request.malformed'],
  ['a signed length', `POST /a HTTP/1.1\r\n${HOST}Content-Length: +1\r\n\r\na`, 'request.malformed'],
  [
    'an odd coding',
    `POST /a HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    'request.malformed',
  ],
  [
    'a coding twice',
    `POST /a HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'request.ambiguous',
  ],
  [
    'a disguised coding',
    `POST /a HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    'request.malformed',
  ],
  [
    'chunks in HTTP/1.0',
    `POST /a HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'request.ambiguous',
  ],
  ['a GET with a body', `GET /a HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\na`, 'request.ambiguous'],
  ['a HEAD with a body', `HEAD /a HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\na`, 'request.ambiguous'],
  [
    'an upgrade to h2c',
    `GET /a HTTP/1.1\r\n${HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`,
    'request.ambiguous',
  ],
  [
    'a WebSocket',
    `GET /a HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    'request.ambiguous',
  ],
  ['an underscore twin', `GET /a HTTP/1.1\r\n${HOST}client_cert: x\r\n\r\n`, 'request.ambiguous'],
  [
    'Connection naming DPoP',
    `GET /a HTTP/1.1\r\n${HOST}DPoP: x\r\nConnection: keep-alive, DPoP\r\n\r\n`,
    'request.ambiguous',
  ],
  [
    'two Content-Types',
    `POST /a HTTP/1.1\r\n${HOST}Content-Type: text/plain\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
    'request.ambiguous',
  ],
  [
    'two traceparents',
    `GET /a HTTP/1.1\r\n${HOST}traceparent: a\r\nTraceparent: b\r\n\r\n`,
    'request.ambiguous',
  ],
  [
    'a method override',
    `POST /a HTTP/1.1\r\n${HOST}X-HTTP-Method-Override: DELETE\r\nContent-Length: 0\r\n\r\n`,
    'request.ambiguous',
  ],
  [
    'a Content-Type with two readings',
    `POST /a HTTP/1.1\r\n${HOST}Content-Type: application/json, text/plain\r\nContent-Length: 2\r\n\r\n{}`,
    'request.malformed',
  ],
  [
    'another expectation',
    `POST /a HTTP/1.1\r\n${HOST}Expect: 200-ok\r\nContent-Length: 1\r\n\r\na`,
    'request.expectation_unsupported',
  ],
  [
    'two expectations',
    `POST /a HTTP/1.1\r\n${HOST}Expect: 100-continue, x\r\nContent-Length: 1\r\n\r\na`,
    'request.expectation_unsupported',
  ],
  ['a method of another protocol', `PROPFIND /a HTTP/1.1\r\n${HOST}\r\n`, 'route.unknown_operation'],
  ['a method nobody has', `BREW /a HTTP/1.1\r\n${HOST}\r\n`, 'request.malformed'],
  ['a folded header', `GET /a HTTP/1.1\r\n${HOST}A: b\r\n c\r\n\r\n`, 'request.malformed'],
  ['a bare line feed', `GET /a HTTP/1.1\nHost: a\n\n`, 'request.malformed'],
  ['a space before the colon', `GET /a HTTP/1.1\r\n${HOST}A : b\r\n\r\n`, 'request.malformed'],
  ['a NUL in a header', `GET /a HTTP/1.1\r\n${HOST}A: b\0c\r\n\r\n`, 'request.malformed'],
  ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n\r\n', 'request.malformed'],
  ['TLS to a plain port', '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03', 'request.malformed'],
  ['HTTP/2 with prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'request.malformed'],
  ['HTTP/0.9', 'GET /a\r\n\r\n', 'request.malformed'],
  [
    'too many headers',
    `GET /a HTTP/1.1\r\n${HOST}${'A: b\r\n'.repeat(101)}\r\n`,
    'request.headers_too_large',
  ],
  [
    'too large a header section',
    `GET /a HTTP/1.1\r\n${HOST}A: ${'b'.repeat(20_000)}\r\n\r\n`,
    'request.headers_too_large',
  ],
  ['too long a target', `GET /${'a'.repeat(9000)} HTTP/1.1\r\n${HOST}\r\n`, 'request.target_invalid'],
  [
    'a line break in a rationale',
    `GET /a HTTP/1.1\r\n${HOST}Toolgate-Rationale: a\x85b\r\n\r\n`,
    'request.malformed',
  ],
  [
    'a reversed rationale',
    `GET /a HTTP/1.1\r\n${HOST}Toolgate-Rationale: a\xe2\x80\xaeb\r\n\r\n`,
    'request.malformed',
  ],
  ['a task that is no token', `GET /a HTTP/1.1\r\n${HOST}Toolgate-Task: a b\r\n\r\n`, 'request.malformed'],
]

describe('A request that two servers could read differently', () => {
  it.each(attacks)('is refused: %s', async (_, bytes, code) => {
    await using gateway = await startListener()
    const response = await sendRaw(gateway.port, bytes)

    const seen = [
      ...gateway.outcomes.map(({ code }) => code),
      ...gateway.unparsed.map(({ refusal }) => refusal.code),
    ]
    expect(seen).toEqual([code])
    expect(gateway.received).toEqual([])
    expect(codeOf(response)).toBe(bytes.startsWith('HEAD') ? undefined : code)
    expect(response.header('toolgate-decision')).toBe('deny')
    expect(response.header('toolgate-call-id')).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('takes the connection with it, so that what follows is never read as a request', async () => {
    await using gateway = await startListener()
    await using client = await connectRaw(gateway.port)
    client.send(
      `POST /a HTTP/1.1\r\n${HOST}Content-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n${HOST}\r\n`,
    )
    expect((await client.response()).header('connection')).toBe('close')
    await client.closed
    expect(gateway.received).toEqual([])
  })

  it('ends the call that a CONNECT was pipelined behind', async () => {
    await using gateway = await startListener({
      onReceived: async (received, reply) => {
        const { signal } = received.arrival
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve)
        })
        return reply.refuse({ code: 'gateway.fault' }, received)
      },
    })
    await using client = await connectRaw(gateway.port)
    client.send(`GET /a HTTP/1.1\r\n${HOST}\r\nCONNECT a:443 HTTP/1.1\r\n${HOST}\r\n`)
    await client.closed
    await until(() => gateway.listener.callsInFlight === 0)
    expect(gateway.outcomes).toMatchObject([{ code: 'client.gone' }])
  })

  it('leaves the requests before it whole', async () => {
    await using gateway = await startListener()
    await using client = await connectRaw(gateway.port)
    client.send(`GET /a HTTP/1.1\r\n${HOST}\r\n`)
    expect((await client.response()).status).toBe(200)
    client.send('nonsense\r\n\r\n')
    expect((await client.response()).status).toBe(400)
    await client.closed
  })
})

function codeOf(response: RawResponse): unknown {
  return (JSON.parse(response.body.toString() || '{}') as { code?: unknown }).code
}
