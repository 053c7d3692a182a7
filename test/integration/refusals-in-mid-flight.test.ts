import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import { ALLOW_EVERYTHING } from '../harness/permissive-rules.ts'
import { connectRaw, type RawClient } from '../harness/raw-client.ts'
import { type Answer, answerOf } from '../harness/send.ts'
import { startRawUpstream, type RawUpstream } from '../harness/upstream.ts'

/** What happens to calls that had come some way: each still ends once, for the caller, in the log and on record. */
let bundle: Buffer
let upstream: RawUpstream
let toolgate: TestGateway
const GET = '/github/repos/zyx/platform-infra/pulls/991'
const UPLOAD = '/github/repos/zyx/platform-infra/releases/1/assets?name=a'
const COMMENT = '/github/repos/zyx/platform-infra/issues/991/comments'
const MEBIBYTE = 1_048_576
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'

beforeAll(async () => {
  bundle = await compileRules(ALLOW_EVERYTHING)
  upstream = await startRawUpstream((socket, head) => {
    if (head.startsWith('GET ') && !/^user-agent: hang/im.test(head)) socket.write(ANSWER)
  })
  toolgate = await start({ connectors: { github: { bodyLimitBytes: 2 * MEBIBYTE } } })
})
afterAll(async () => {
  await toolgate[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})

function start(settings: Readonly<Record<string, unknown>>): Promise<TestGateway> {
  return startTestGateway({ bundle, upstream: upstream.origin, settings })
}

/** The header section of a valid call, with these lines in it. */
function head(to: TestGateway, method: string, target: string, lines: readonly string[] = []): string {
  const token = to.token()
  const proof = to.proof(method, target, { token })
  return [
    `${method} ${target} HTTP/1.1`,
    'Host: 127.0.0.1',
    `Authorization: DPoP ${token}`,
    `DPoP: ${proof}`,
    ...lines,
    '\r\n',
  ].join('\r\n')
}

async function answered(client: RawClient): Promise<Answer> {
  const { status, headers, body } = await client.response()
  return answerOf(status, headers, body.toString())
}

/** One line, and these records, of the newest call that ended as `code`. */
async function expectEnded(by: TestGateway, code: string, records: readonly string[]): Promise<void> {
  const lines = async () =>
    (await by.logLines()).filter(({ event, reason }) => event === 'call' && reason === code)
  await expect.poll(async () => (await lines()).length, { interval: 5 }).toBe(1)
  const callId = String((await lines())[0]?.['call_id'])
  await expect
    .poll(async () => (await by.recordsOf(callId)).map(({ type }) => type), { interval: 5 })
    .toEqual(records)
  expect((await by.recordsOf(callId)).at(-1)).toMatchObject({ outcome: code })
  expect(by.gateway.status()).toMatchObject({ listen: { callsInFlight: 0 } })
}

const OPAQUE = 'Content-Type: application/octet-stream'
const JSON_BODY = 'Content-Type: application/json'
const chunk = (sizeBytes: number): Buffer =>
  Buffer.concat([
    Buffer.from(`${sizeBytes.toString(16)}\r\n`),
    Buffer.alloc(sizeBytes, 'x'),
    Buffer.from('\r\n'),
  ])

describe('a body', () => {
  it('that grows beyond the limit on its way to the upstream is refused, and broken off there', async () => {
    await using client = await connectRaw(toolgate.gateway.port)
    client.send(head(toolgate, 'POST', UPLOAD, [OPAQUE, 'Transfer-Encoding: chunked']))
    for (let count = 0; count < 3; count += 1) client.send(chunk(MEBIBYTE))
    const answer = await answered(client)
    expect(answer).toMatchObject({ status: 413, code: 'request.body_too_large', decision: 'deny' })
    await expectEnded(toolgate, 'request.body_too_large', ['decision', 'outcome'])
    await expect.poll(() => upstream.connections(), { interval: 5 }).toBe(0)
  })

  it('that never comes to its end while it is streamed is timed out', async () => {
    await using impatient = await start({ listen: { requestTimeoutMs: 300 } })
    await using client = await connectRaw(impatient.gateway.port)
    client.send(head(impatient, 'POST', UPLOAD, [OPAQUE, 'Transfer-Encoding: chunked']))
    for (let count = 0; count < 2; count += 1) client.send(chunk(MEBIBYTE))
    expect(await answered(client)).toMatchObject({ status: 408, code: 'request.timeout' })
    await expectEnded(impatient, 'request.timeout', ['decision', 'outcome'])
  })

  it('that the caller abandons ends the call as one of a caller that left', async () => {
    await using own = await start({})
    await using client = await connectRaw(own.gateway.port)
    client.send(`${head(own, 'POST', COMMENT, [JSON_BODY, 'Content-Length: 100'])}{`)
    await expect
      .poll(() => own.gateway.status(), { interval: 5 })
      .toMatchObject({ listen: { callsInFlight: 1 } })
    client.socket.destroy()
    await expectEnded(own, 'client.gone', ['outcome'])
  })

  it('that is still coming when the gateway has to end is refused, and nothing was sent', async () => {
    await using ending = await start({ listen: { drain: { graceMs: 0, deadlineMs: 0 } } })
    await using client = await connectRaw(ending.gateway.port)
    client.send(`${head(ending, 'POST', COMMENT, [JSON_BODY, 'Content-Length: 100'])}{`)
    await expect
      .poll(() => ending.gateway.status(), { interval: 5 })
      .toMatchObject({ listen: { callsInFlight: 1 } })
    const seen = upstream.heads.length
    const drained = ending.gateway.drain(new AbortController().signal)
    const answer = await answered(client)
    expect(answer).toMatchObject({ status: 503, code: 'gateway.draining' })
    expect(answer.headers['retry-after']).toMatch(/^\d+$/)
    await drained
    expect(upstream.heads).toHaveLength(seen)
    await expectEnded(ending, 'gateway.draining', ['outcome'])
  })
})

describe('an upstream', () => {
  it('whose every connection is in use costs a refusal, not a queue without end', async () => {
    await using narrow = await start({ connectors: { github: { connections: 1, connectTimeoutMs: 100 } } })
    await using holder = await connectRaw(narrow.gateway.port)
    const seen = upstream.heads.length
    holder.send(head(narrow, 'GET', GET, ['User-Agent: hang']))
    await expect.poll(() => upstream.heads.length, { interval: 5 }).toBe(seen + 1)
    const answer = await narrow.send('GET', GET)
    expect(answer).toMatchObject({ status: 503, code: 'gateway.overloaded' })
    expect(answer.headers['retry-after']).toBe('1')
    holder.socket.destroy()
    await holder.closed
    await expectEnded(narrow, 'client.gone', ['decision', 'outcome'])
  })
})

describe('one connection', () => {
  it('goes on after a refusal that leaves no doubt where the next request begins', async () => {
    await using client = await connectRaw(toolgate.gateway.port)
    client.send(head(toolgate, 'GET', '/github/no/such/thing'))
    expect(await answered(client)).toMatchObject({ code: 'route.unknown_operation' })
    client.send(head(toolgate, 'GET', GET))
    expect(await answered(client)).toMatchObject({ status: 200, decision: 'allow' })
  })

  it('answers pipelined calls in their order, refusals among them', async () => {
    await using client = await connectRaw(toolgate.gateway.port)
    client.send(
      head(toolgate, 'GET', GET) +
        head(toolgate, 'GET', '/github/no/such/thing') +
        head(toolgate, 'GET', GET),
    )
    const codes = [await answered(client), await answered(client), await answered(client)].map(
      ({ code }) => code,
    )
    expect(codes).toEqual(['', 'route.unknown_operation', ''])
  })

  it('gets no body where it asked with HEAD, and the length that GET would have had', async () => {
    await using client = await connectRaw(toolgate.gateway.port)
    client.send(head(toolgate, 'HEAD', '/github/no/such/thing'))
    const { status, header } = await client.response({ toHead: true })
    expect([status, header('Toolgate-Decision')]).toEqual([404, 'deny'])
    expect(Number(header('Content-Length'))).toBeGreaterThan(100)
    client.send(head(toolgate, 'GET', GET))
    expect(await answered(client)).toMatchObject({ status: 200 })
  })
})
