import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { REFUSALS, type RefusalCode } from '../../gateway/refusal.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { connectRaw } from '../harness/raw-client.ts'
import { answerOf } from '../harness/send.ts'

let toolgate: TestGateway
beforeAll(async () => {
  toolgate = await startTestGateway({
    settings: { listen: { headersTimeoutMs: 200, requestTimeoutMs: 200 } },
  })
})
afterAll(() => toolgate[Symbol.asyncDispose]())

const LINE = 'GET /github/user HTTP/1.1\r\nHost: a\r\n'

const BYTES: readonly (readonly [what: string, bytes: string, code: RefusalCode])[] = [
  ['no HTTP at all', '\x16\x03\x01\x02\x00\x01', 'request.malformed'],
  ['a header line without a colon', `${LINE}nonsense\r\n\r\n`, 'request.malformed'],
  ['a line break that is none', 'GET / HTTP/1.1\nHost: a\n\n', 'request.malformed'],
  [
    'an authority to connect to',
    'CONNECT api.github.com:443 HTTP/1.1\r\nHost: a\r\n\r\n',
    'request.target_invalid',
  ],
  ['40 kB of headers', `${LINE}A: ${'a'.repeat(40_000)}\r\n\r\n`, 'request.headers_too_large'],
  [
    'two framings',
    'POST /github/user HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'request.ambiguous',
  ],
  ['half a header section', LINE, 'request.timeout'],
]

describe('bytes that never become a call', () => {
  it('are counted from nothing, so that the first of a kind is seen as a rate', async () => {
    const { text } = await toolgate.gateway.metrics()
    for (const code of new Set(BYTES.map(([, , each]) => each)))
      expect(text).toContain(`toolgate_requests_unparsed_total{reason="${code}"} 0\n`)
  })

  it.each(BYTES)('get a refusal, a line and a record: %s', async (_what, bytes, code) => {
    const before = await toolgate.metric('toolgate_requests_unparsed_total', { reason: code })
    await using client = await connectRaw(toolgate.gateway.port)
    client.send(bytes)
    const { status, headers, body } = await client.response()
    const answer = answerOf(status, headers, body.toString())
    expect(answer).toMatchObject({ status: REFUSALS[code].status, code, decision: 'deny' })
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.headers['connection']).toBe('close')
    await client.closed
    await expect.poll(() => toolgate.linesOf(answer.callId), { interval: 5 }).toHaveLength(1)
    expect(await toolgate.linesOf(answer.callId)).toMatchObject([
      { event: 'request.unparsed', reason: code, status },
    ])
    await expect.poll(() => toolgate.recordsOf(answer.callId), { interval: 5 }).toHaveLength(1)
    expect(await toolgate.recordsOf(answer.callId)).toMatchObject([
      { type: 'outcome', outcome: code, status },
    ])
    expect(await toolgate.metric('toolgate_requests_unparsed_total', { reason: code })).toBe(before + 1)
  })
})
