import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import { ALLOW_EVERYTHING } from '../harness/permissive-rules.ts'
import { connectRaw } from '../harness/raw-client.ts'
import { answerOf, type Answer } from '../harness/send.ts'
import { call, type Field, passed, type RandomCall } from '../harness/random-calls.ts'
import { startUpstream, type Upstream } from '../harness/upstream.ts'

const RUNS = 150

let upstream: Upstream
let toolgate: TestGateway
beforeAll(async () => {
  upstream = await startUpstream((_request, response) => response.end('{}'))
  toolgate = await startTestGateway({
    bundle: await compileRules(ALLOW_EVERYTHING),
    upstream: upstream.origin,
    settings: { breakers: { agent: { failures: 100_000 } } },
  })
})
afterAll(async () => {
  await toolgate[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})

/** What the agent says to the gateway, or would like to smuggle past it. */
const kept: readonly Field[] = [
  ['Cookie', 'session=smuggled'],
  ['Toolgate-Rationale', 'smuggled'],
  ['Toolgate-Anything', 'smuggled'],
  ['X-Forwarded-For', 'smuggled'],
  ['X-Forwarded-Anything', 'smuggled'],
  ['Forwarded', 'for=smuggled'],
  ['X-Real-IP', 'smuggled'],
  ['X-Original-URL', '/smuggled'],
  ['Proxy-Authorization', 'Basic smuggled'],
  ['TE', 'smuggled'],
  ['X-Anything-Else', 'smuggled'],
  ['Via', '1.1 smuggled'],
  ['Origin', 'https://smuggled.example'],
]

describe('a call that was authorised', () => {
  it('arrives byte for byte: method, target, body, and the headers that pass', async () => {
    const inputs = fc.record({
      call,
      fields: fc.uniqueArray(passed, { maxLength: 3, selector: ([name]) => name.toLowerCase() }),
      smuggled: fc.subarray([...kept]),
      chunks: fc.option(fc.integer({ min: 1, max: 64 })),
    })
    await fc.assert(
      fc.asyncProperty(inputs, async ({ call, fields, smuggled, chunks }) => {
        const before = upstream.requests.length
        const answer = await exchange(call, [...fields, ...smuggled], chunks)
        expect([answer.decision, answer.code]).toEqual(['allow', ''])
        expect(upstream.requests).toHaveLength(before + 1)
        const seen = upstream.requests[before]
        expect([seen?.method, seen?.target]).toEqual([call.method, call.target])
        expect(seen?.body.equals(call.content?.bytes ?? Buffer.alloc(0))).toBe(true)
        const arrived = namesAndValues(seen?.headers ?? [])
        for (const [name, value] of fields) expect(arrived.get(name.toLowerCase())).toEqual([value])
        expect(arrived.get('host')).toEqual([`127.0.0.1:${upstream.port}`])
        expect(arrived.get('authorization')).toEqual(['Bearer upstream-secret-github'])
        expectNothingOfTheAgent(arrived)
      }),
      { numRuns: RUNS },
    )
  })

  it('arrives with repeated headers repeated, and in their order', async () => {
    const repeated: readonly Field[] = [
      ['Accept', 'application/json'],
      ['If-Match', '"a"'],
      ['accept', 'text/plain;q=0.1'],
      ['If-Match', '"b"'],
    ]
    await exchange({ method: 'GET', target: '/repos/zyx/platform-infra' }, repeated)
    const arrived = namesAndValues(upstream.requests.at(-1)?.headers ?? [])
    expect(arrived.get('accept')).toEqual(['application/json', 'text/plain;q=0.1'])
    expect(arrived.get('if-match')).toEqual(['"a"', '"b"'])
  })
})

describe('a call that can be read in two ways', () => {
  const twins = fc
    .constantFrom(
      'content_type',
      'X_Forwarded_For',
      'authorization_',
      '_dpop',
      'x_http_method_override',
      'a_b',
    )
    .map((name): Field[] => [[name, '1']])
  const doubles = fc
    .constantFrom('Content-Type', 'Idempotency-Key', 'Range', 'Traceparent', 'Toolgate-Task')
    .map((name): Field[] => [
      [name, 'a'],
      [name.toLowerCase(), 'b'],
    ])
  const others = fc.constantFrom<Field[]>(
    [['X-HTTP-Method-Override', 'DELETE']],
    [['Connection', 'close, Authorization']],
    [['Upgrade', 'h2c']],
    [
      ['Transfer-Encoding', 'chunked'],
      ['Content-Length', '0'],
    ],
  )

  it('never arrives', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(twins, doubles, others),
        fc.array(passed, { maxLength: 2 }),
        async (odd, more) => {
          const before = upstream.requests.length
          const answer = await exchange({ method: 'GET', target: '/repos/zyx/platform-infra' }, [
            ...odd,
            ...more,
          ])
          expect(answer).toMatchObject({ status: 400, decision: 'deny' })
          expect(answer.code).toMatch(/^request\.(?:ambiguous|malformed)$/)
          expect(upstream.requests).toHaveLength(before)
        },
      ),
      { numRuns: 60 },
    )
  })
})

/** Sends on a bare socket, the body in chunks of `chunkBytes` or with its length. */
async function exchange(
  { method, target, content }: RandomCall,
  fields: readonly Field[],
  chunkBytes: number | null = null,
): Promise<Answer> {
  const path = `/github${target}`
  const token = toolgate.token()
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    `Authorization: DPoP ${token}`,
    `DPoP: ${toolgate.proof(method, path, { token })}`,
    ...fields.map(([name, value]) => `${name}: ${value}`),
    ...(content === undefined ? [] : [`Content-Type: ${content.type}`]),
  ]
  const body = content?.bytes ?? Buffer.alloc(0)
  const chunked = content !== undefined && chunkBytes !== null
  if (chunked) lines.push('Transfer-Encoding: chunked')
  else if (content !== undefined) lines.push(`Content-Length: ${body.length}`)
  await using client = await connectRaw(toolgate.gateway.port)
  client.send(
    Buffer.concat([
      Buffer.from(`${lines.join('\r\n')}\r\n\r\n`),
      chunked ? inChunks(body, chunkBytes) : body,
    ]),
  )
  const response = await client.response()
  return answerOf(response.status, response.headers, response.body.toString())
}

function inChunks(body: Buffer, chunkBytes: number): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < body.length; at += chunkBytes) {
    const chunk = body.subarray(at, at + chunkBytes)
    parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'))
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')])
}

function namesAndValues(flat: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const name = (flat[index] ?? '').toLowerCase()
    found.set(name, [...(found.get(name) ?? []), flat[index + 1] ?? ''])
  }
  return found
}

function expectNothingOfTheAgent(arrived: ReadonlyMap<string, readonly string[]>): void {
  for (const [name, values] of arrived) {
    expect(name).not.toMatch(
      /^(?:dpop|cookie|forwarded|via|te|origin|toolgate-.*|x-forwarded-.*|x-real-ip|proxy-.*)$/,
    )
    // So a token begins, and so much of one nobody hits upon who makes up a value.
    expect(values.join()).not.toMatch(/smuggled|eyJ[\w-]{16}/)
  }
}
