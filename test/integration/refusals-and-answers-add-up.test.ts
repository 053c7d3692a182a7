import type { Socket } from 'node:net'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import { connectRaw } from '../harness/raw-client.ts'
import { startRawUpstream, type RawUpstream } from '../harness/upstream.ts'

/** Whatever calls do, and whatever is done to them: log, record and metrics tell of the same calls, each once. */
const CALLS = 240
const AT_ONCE = 20

const RULES = `
decision := {"allow": count(denied) == 0, "risk": 0, "reasons": denied, "obligations": []}
denied contains reason if input.agent.id == ""
denied contains reason if input.declared.task == "denied"
reason := {"code": "write.not_allowed", "rule": "R030", "detail": ""}
`

const OK = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'
const UPSTREAM: Readonly<Record<string, (socket: Socket) => void>> = {
  answer: (socket) => void socket.write(`${OK}Content-Length: 2\r\n\r\n{}`),
  refuse: (socket) => void socket.write('HTTP/1.1 422 No\r\nContent-Length: 2\r\n\r\n{}'),
  fail: (socket) => void socket.write('HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n'),
  cut: (socket) => void socket.destroy(),
  shorten: (socket) => void socket.end(`${OK}Content-Length: 20\r\n\r\n{`),
  babble: (socket) => void socket.write('HTTP/9.9 what\r\n\r\n'),
  redirect: (socket) =>
    void socket.write('HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n'),
  chunk: (socket) => void socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`),
}

let upstream: RawUpstream
let toolgate: TestGateway
beforeAll(async () => {
  upstream = await startRawUpstream((socket, head) => {
    const wanted = /^user-agent: (\w+)/im.exec(head)?.[1] ?? ''
    UPSTREAM[wanted]?.(socket)
  })
  toolgate = await startTestGateway({
    bundle: await compileRules(RULES),
    upstream: upstream.origin,
    settings: {
      listen: { maxCallsInFlight: AT_ONCE - 4 },
      connectors: { github: { bodyLimitBytes: 2_000, replyTimeoutMs: 300 } },
      breakers: { upstream: { failures: 10_000 }, agent: { failures: 10_000 } },
      limits: {
        rates: [
          {
            name: 'writes',
            by: ['agent'],
            match: { access: ['write'] },
            calls: 10,
            windowMs: 600_000,
            burst: CALLS / 3,
          },
        ],
        concurrency: [{ name: 'places', by: ['agent'], calls: AT_ONCE - 6 }],
      },
    },
  })
})
afterAll(async () => {
  await toolgate[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})

const ODD = ['denied', 'unknown', 'unsigned', 'replayed', 'broken', 'large'] as const

const step = fc.record({
  software: fc.constantFrom(...Object.keys(UPSTREAM), 'hang'),
  what: fc.constantFrom('read', 'read', 'read', 'read', 'write', 'write', 'write', 'write', ...ODD),
  /** When the caller leaves: never, or with the header section, half the body or the whole request sent. */
  leaves: fc.constantFrom('never', 'never', 'never', 'head', 'half', 'sent'),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const READ = '/github/repos/zyx/platform-infra/pulls/991'
const WRITE = '/github/repos/zyx/platform-infra/issues/991/comments'
const replayed = { token: '', proof: '' }

async function take({ software, what, leaves }: Step): Promise<void> {
  const method = what === 'read' || what === 'unknown' ? 'GET' : 'POST'
  const target = what === 'unknown' ? '/github/nothing' : method === 'GET' ? READ : WRITE
  const body = method === 'GET' ? '' : JSON.stringify({ body: 'x'.repeat(what === 'large' ? 3_000 : 100) })
  const token = toolgate.token()
  const used = what === 'replayed' ? replayed : { token, proof: toolgate.proof(method, target, { token }) }
  const head = [
    `${method} ${target} HTTP/1.1`,
    what === 'broken' ? 'Host : 127.0.0.1' : 'Host: 127.0.0.1',
    `User-Agent: ${software}`,
    `Toolgate-Task: ${what}`,
    ...(what === 'unsigned' ? [] : [`Authorization: DPoP ${used.token}`, `DPoP: ${used.proof}`]),
    ...(method === 'GET' ? [] : ['Content-Type: application/json', `Content-Length: ${body.length}`]),
    '\r\n',
  ].join('\r\n')
  await using client = await connectRaw(toolgate.gateway.port)
  const parts = { never: head + body, head, half: head + body.slice(0, 50), sent: head + body }
  client.send(parts[leaves])
  if (leaves === 'never') await client.response().catch(() => undefined)
  else if (software === 'hang' && leaves === 'sent') await new Promise(setImmediate)
}

it('every call is in the log, on record and in the metrics, once in each', async () => {
  replayed.token = toolgate.token()
  replayed.proof = toolgate.proof('POST', WRITE, { token: replayed.token })
  const steps = fc.sample(step, { numRuns: CALLS, seed: 18_422 })
  for (let start = 0; start < steps.length; start += AT_ONCE) {
    await Promise.all(steps.slice(start, start + AT_ONCE).map(take))
  }
  await expect
    .poll(() => toolgate.gateway.status(), { interval: 20, timeout: 10_000 })
    .toMatchObject({
      listen: { callsInFlight: 0 },
    })

  const lines = (await toolgate.logLines()).filter(
    ({ event }) => event === 'call' || event === 'request.unparsed',
  )
  const reasonOf = new Map(lines.map((line) => [String(line['call_id']), String(line['reason'])]))
  expect(reasonOf.size).toBe(lines.length)
  const outcomes = async () => (await toolgate.records()).filter((entry) => entry.type === 'outcome')
  await expect.poll(async () => (await outcomes()).length, { interval: 20 }).toBe(lines.length)
  for (const { call, outcome } of await outcomes())
    expect([call, outcome]).toEqual([call, reasonOf.get(call)])
  const counted =
    (await toolgate.metric('toolgate_calls_total')) +
    (await toolgate.metric('toolgate_requests_unparsed_total'))
  expect(counted).toBe(lines.length)

  const intents = (await toolgate.records()).filter((entry) => entry.type === 'decision')
  expect(new Set(intents.map(({ call }) => call)).size).toBe(intents.length)
  expect(intents.every(({ call }) => reasonOf.has(call))).toBe(true)
  // A read may be sent a second time where its connection closed unanswered; nothing is sent that is not on record.
  const repeats = await toolgate.metric('toolgate_upstream_repeats_total')
  expect(upstream.heads.length).toBeLessThanOrEqual(intents.length + repeats)
  // Were all of one kind, nothing would have been shown.
  expect(new Set(reasonOf.values()).size).toBeGreaterThan(10)

  // Every place is free again: so many calls fit in as at the start.
  const agents = Array.from({ length: AT_ONCE - 6 }, () => toolgate.token())
  const answers = await Promise.all(
    agents.map((token) => toolgate.send('GET', READ, { token, headers: { 'user-agent': 'answer' } })),
  )
  expect(answers.map(({ status }) => status)).toEqual(agents.map(() => 200))
})
