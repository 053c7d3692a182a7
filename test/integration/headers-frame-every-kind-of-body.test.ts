import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import { ALLOW_EVERYTHING } from '../harness/permissive-rules.ts'
import { connectRaw } from '../harness/raw-client.ts'
import { answerOf, type Answer } from '../harness/send.ts'
import { startUpstream, type Upstream } from '../harness/upstream.ts'

let upstream: Upstream
let toolgate: TestGateway
beforeAll(async () => {
  upstream = await startUpstream((_request, response) => response.end('{}'))
  toolgate = await startTestGateway({
    bundle: await compileRules(ALLOW_EVERYTHING),
    upstream: upstream.origin,
  })
})
afterAll(async () => {
  await toolgate[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})

const REPOSITORY = '/github/repos/zyx/platform-infra'
const GET = `GET ${REPOSITORY}`
const POST = `POST ${REPOSITORY}/issues/991/comments`
const PUT = `PUT ${REPOSITORY}/issues/991/lock`
const DELETE = `DELETE ${REPOSITORY}/contents/a`
const UPLOAD = `POST ${REPOSITORY}/releases/1/assets?name=a`
const JSON_TYPE = 'Content-Type: application/json'
const CHUNKED = 'Transfer-Encoding: chunked'

/** One call on a bare socket: request line without version, further header lines, the bytes after them. */
async function exchange(line: string, lines: readonly string[], bytes: string): Promise<Answer> {
  const [method = '', target = ''] = line.split(' ')
  const token = toolgate.token()
  const head = [
    `${line} HTTP/1.1`,
    'Host: 127.0.0.1',
    `Authorization: DPoP ${token}`,
    `DPoP: ${toolgate.proof(method, target, { token })}`,
    ...lines,
  ]
  await using client = await connectRaw(toolgate.gateway.port)
  client.send(`${head.join('\r\n')}\r\n\r\n${bytes}`)
  const { status, headers, body } = await client.response()
  return answerOf(status, headers, body.toString())
}

type Shape = readonly [
  what: string,
  line: string,
  lines: readonly string[],
  bytes: string,
  seen: { readonly length: string | undefined; readonly body: string },
]

describe('a body that clients send', () => {
  it.each<Shape>([
    ['none, said so', GET, ['Content-Length: 0'], '', { length: undefined, body: '' }],
    ['none, where one could be', PUT, [], '', { length: '0', body: '' }],
    ['none, said so, where one could be', PUT, ['Content-Length: 0'], '', { length: '0', body: '' }],
    ['none, with a type', POST, [JSON_TYPE, 'Content-Length: 0'], '', { length: '0', body: '' }],
    ['one with DELETE', DELETE, [JSON_TYPE, 'Content-Length: 2'], '{}', { length: '2', body: '{}' }],
    ['in chunks', POST, [JSON_TYPE, CHUNKED], '1\r\n{\r\n1\r\n}\r\n0\r\n\r\n', { length: '2', body: '{}' }],
    ['no bytes in chunks', POST, [JSON_TYPE, CHUNKED], '0\r\n\r\n', { length: '0', body: '' }],
    // RFC 9112 §7.1.1, §7.1.2: both are of this hop alone.
    [
      'with chunk extensions',
      POST,
      [JSON_TYPE, CHUNKED],
      '2;a=b\r\n{}\r\n0\r\n\r\n',
      { length: '2', body: '{}' },
    ],
    [
      'with trailers',
      POST,
      [JSON_TYPE, CHUNKED],
      '2\r\n{}\r\n0\r\nX-Late: 1\r\n\r\n',
      { length: '2', body: '{}' },
    ],
    ['a file without a type', UPLOAD, ['Content-Length: 2'], 'ab', { length: '2', body: 'ab' }],
  ])('arrives whole and framed anew: %s', async (_what, line, lines, bytes, { length, body }) => {
    expect(await exchange(line, lines, bytes)).toMatchObject({ status: 200, decision: 'allow' })
    const seen = upstream.requests.at(-1)
    expect(seen?.body.toString()).toBe(body)
    const headers = new Map(
      seen?.headers.flatMap((name, index, all) =>
        index % 2 === 0 ? [[name.toLowerCase(), all[index + 1]] as const] : [],
      ),
    )
    expect([headers.get('content-length'), headers.get('transfer-encoding')]).toEqual([length, undefined])
    expect(headers.has('x-late')).toBe(false)
  })

  it.each<readonly [string, string, readonly string[], string, string]>([
    ['of no type, where policy has to see it', POST, ['Content-Length: 2'], '{}', 'request.body_unsupported'],
    [
      'in another charset',
      POST,
      [`${JSON_TYPE}; charset=utf-16`, 'Content-Length: 2'],
      '{}',
      'request.body_unsupported',
    ],
    [
      'that begins with a byte order mark',
      POST,
      [JSON_TYPE, 'Content-Length: 5'],
      '\xef\xbb\xbf{}',
      'request.body_invalid',
    ],
    ['with a name twice', POST, [JSON_TYPE, 'Content-Length: 13'], '{"a":1,"a":2}', 'request.body_invalid'],
    ['of a GET', GET, [JSON_TYPE, 'Content-Length: 2'], '{}', 'request.ambiguous'],
  ])('never arrives: %s', async (_what, line, lines, bytes, code) => {
    const before = upstream.requests.length
    expect(await exchange(line, lines, bytes)).toMatchObject({ code, decision: 'deny' })
    expect(upstream.requests).toHaveLength(before)
  })
})
