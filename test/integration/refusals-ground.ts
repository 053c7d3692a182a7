import type { Socket } from 'node:net'
import { systemClock } from '../../gateway/lib/clock.ts'
import { type Sent, startTestGateway, type TestGateway, type TestGatewayOptions } from '../harness/gateway.ts'
import { AUDIENCE, type Issuer, startIssuer } from '../harness/issuer.ts'
import { compileRules } from '../harness/opa.ts'
import { connectRaw, type RawClient } from '../harness/raw-client.ts'
import { type RunningRedis, startRedis } from '../harness/redis.ts'
import { type Answer, answerOf } from '../harness/send.ts'
import { type RawUpstream, startRawUpstream } from '../harness/upstream.ts'

export const CONNECTORS = ['github', 'jira', 'confluence', 'slack'] as const
export type ConnectorName = (typeof CONNECTORS)[number]

interface Call {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

const json = { 'content-type': 'application/json' }

export const READS: Readonly<Record<ConnectorName, Call>> = {
  github: { method: 'GET', target: '/github/repos/zyx/platform-infra/pulls/991', headers: {} },
  jira: { method: 'GET', target: '/jira/rest/api/3/issue/CHG-18422', headers: {} },
  confluence: { method: 'GET', target: '/confluence/wiki/api/v2/pages/12345', headers: {} },
  slack: {
    method: 'POST',
    target: '/slack/api/conversations.info',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'channel=C1',
  },
}

const WRITES: Readonly<Record<ConnectorName, Call>> = {
  github: {
    method: 'POST',
    target: '/github/repos/zyx/platform-infra/issues/991/comments',
    headers: json,
    body: '{"body":"done"}',
  },
  jira: {
    method: 'POST',
    target: '/jira/rest/api/3/issue/CHG-18422/comment',
    headers: json,
    body: '{"body":{"type":"doc","version":1,"content":[]}}',
  },
  confluence: {
    method: 'POST',
    target: '/confluence/wiki/api/v2/footer-comments',
    headers: json,
    body: '{"pageId":"12345"}',
  },
  slack: {
    method: 'POST',
    target: '/slack/api/chat.postMessage',
    headers: json,
    body: '{"channel":"C1","text":"done"}',
  },
}

/** Decides as the task of the call asks, so that one policy gives every answer that a policy can give. */
const RULES = `
task := input.declared.task

approval := {"id": "two-people", "type": "approval", "properties": {
  "groups": ["change-approvers"], "count": 1, "distinct": true, "ttl_seconds": 600,
  "escalation_group": "on-call", "escalate_after_seconds": 300,
}}
cap := {"id": "small", "type": "cap_bytes", "properties": {"max_bytes": 10}}
reason := {"code": "group.not_allowed", "rule": "R010", "detail": ""}

outcome(allow, reasons, obligations) := {
  "allow": allow, "risk": 0, "reasons": reasons, "obligations": obligations,
}

known if input.agent.id != ""
special := {"denied", "approval", "unsupported", "invalid", "conflict"}

decision := outcome(false, [reason], []) if not known
decision := outcome(true, [], []) if { known; not special[task] }
decision := outcome(false, [reason], []) if { known; task == "denied" }
decision := outcome(true, [], [approval]) if { known; task == "approval" }
decision := outcome(true, [], [cap]) if { known; task == "unsupported" }
decision := {"allow": "yes"} if { known; task == "invalid" }
decision := outcome(true, [], []) if { known; task == "conflict" }
decision := outcome(false, [reason], []) if { known; task == "conflict" }
`

/** What the upstream does is asked for by the name of the caller's software, which every connector passes on. */
const UPSTREAM = {
  cut: (socket: Socket) => void socket.destroy(),
  hang: () => undefined,
  redirect: (socket: Socket) =>
    void socket.write(
      'HTTP/1.1 302 Found\r\nLocation: https://attacker.example/\r\nContent-Length: 0\r\n\r\n',
    ),
  answer: (socket: Socket) =>
    void socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'),
} as const

function behave(socket: Socket, head: string): void {
  const wanted = /^user-agent: (\w+)/im.exec(head)?.[1] ?? ''
  const behaviour = Object.hasOwn(UPSTREAM, wanted) ? (wanted as keyof typeof UPSTREAM) : 'answer'
  // A second answer on a connection that is gone, or to the body of the first request, is nobody's.
  UPSTREAM[behaviour](socket)
}

export const EXHAUSTED = { rate: 'rated', quota: 'quoted', place: 'crowded' } as const

type Settings = Readonly<Record<string, unknown>>

interface Parts {
  readonly bundle: Buffer
  readonly upstream: RawUpstream
  readonly strict: Issuer
  readonly down: Issuer
  /** Counts for `plain`. */
  readonly redis: RunningRedis
  /** Is killed by the provocation that needs a store that is gone. */
  readonly mortalRedis: RunningRedis
}

const forEach = (settings: (name: ConnectorName) => Settings): Settings => ({
  connectors: Object.fromEntries(CONNECTORS.map((name) => [name, settings(name)])),
})

/** The settings that some refusals need; all else is provoked at `plain`. */
const KINDS = {
  plain: ({ strict, down, redis }) => ({
    redisUrl: redis.url,
    issuers: [
      {
        issuer: strict.issuer,
        audiences: [AUDIENCE],
        jwks: { uri: strict.jwksUri },
        requiredScopes: ['tools:admin'],
      },
      { issuer: down.issuer, audiences: [AUDIENCE], jwks: { uri: down.jwksUri } },
    ],
    settings: {
      ...forEach(() => ({ bodyLimitBytes: 1024 })),
      breakers: { upstream: { failures: 10_000 } },
      limits: {
        rates: [{ name: 'rate', ...exhausted('rate'), windowMs: 60_000, burst: 1 }],
        quotas: [{ name: 'quota', ...exhausted('quota') }],
        concurrency: [{ name: 'place', ...exhausted('place') }],
      },
    },
  }),
  impatient: () => ({
    settings: { ...forEach(() => ({ replyTimeoutMs: 150 })), listen: { requestTimeoutMs: 300 } },
  }),
  nonce: () => ({ settings: { identity: { dpop: { nonce: 'required' } } } }),
  touchy: () => ({ settings: { breakers: { upstream: { failures: 1, openMs: 600_000 } } } }),
  strict: () => ({ settings: { breakers: { agent: { failures: 1, openMs: 30_000 } } } }),
  stateless: ({ mortalRedis }) => ({ redisUrl: mortalRedis.url }),
  unsealed: () => ({
    settings: forEach((name) => ({
      credential:
        name === 'jira' || name === 'confluence'
          ? { type: 'basic', username: 'toolgate@zyx.example', password: 'file:/nowhere/secret' }
          : { type: 'bearer', token: 'file:/nowhere/secret' },
    })),
  }),
  unrecorded: () => ({ settings: { audit: { segmentLimitBytes: 65_536 } } }),
  guarded: ({ upstream }) => ({
    settings: forEach(() => ({ origin: `http://localhost:${upstream.port}`, allowAddresses: [] })),
  }),
  // Port 1 is nobody's.
  unreachable: () => ({ settings: forEach(() => ({ origin: 'http://127.0.0.1:1' })) }),
  full: () => ({ settings: { listen: { maxCallsInFlight: 1 } } }),
  drained: () => ({ settings: { listen: { drain: { graceMs: 0, deadlineMs: 0 } } } }),
  faulty: () => ({ clock: { ...systemClock, monotonicMs: brokenInDecide } }),
} as const satisfies Record<string, (parts: Parts) => TestGatewayOptions>

export type GatewayKind = keyof typeof KINDS

function exhausted(kind: keyof typeof EXHAUSTED): Settings {
  return { by: ['agent', 'connector'], match: { agents: [EXHAUSTED[kind]] }, calls: 1 }
}

/** A bug in one stage, as nobody could bring one about from outside. */
function brokenInDecide(): number {
  if (new Error().stack?.includes('stages/decide.ts') === true) throw new TypeError('secret of the gateway')
  return systemClock.monotonicMs()
}

/** Gateways of every kind, started when first asked for. */
export interface Ground extends AsyncDisposable {
  readonly parts: Parts
  gateway(kind: GatewayKind): Promise<TestGateway>
  /** A call that policy allows, told apart by `more`. */
  read(kind: GatewayKind, connector: ConnectorName, more?: Partial<Sent>): Promise<Answer>
  write(kind: GatewayKind, connector: ConnectorName, more?: Partial<Sent>): Promise<Answer>
  /** The same read byte by byte: header lines of a valid call and `lines` beside them. */
  raw(kind: GatewayKind, connector: ConnectorName, lines: readonly string[], body?: string): Promise<Answer>
  /** A write whose body never comes to its end. */
  unfinished(kind: GatewayKind, connector: ConnectorName): Promise<Answer>
  /** A write that is under way at the upstream; ends with its disposal. */
  held(kind: GatewayKind, connector: ConnectorName, agent?: string): Promise<RawClient>
}

export async function prepareGround(): Promise<Ground> {
  await using stack = new AsyncDisposableStack()
  const [bundle, upstream, strict, down, redis, mortalRedis] = await Promise.all([
    compileRules(RULES),
    startRawUpstream(behave),
    startIssuer(),
    startIssuer(),
    startRedis(),
    startRedis(),
  ])
  for (const part of [upstream, strict, down, redis, mortalRedis]) stack.use(part)
  down.answerWith((_request, response) => response.writeHead(500).end())
  const parts: Parts = { bundle, upstream, strict, down, redis, mortalRedis }
  const owned = stack.move()
  const started = new Map<GatewayKind, Promise<TestGateway>>()
  const start = async (kind: GatewayKind): Promise<TestGateway> => {
    const options: TestGatewayOptions = KINDS[kind](parts)
    return owned.use(await startTestGateway({ bundle, upstream: upstream.origin, ...options }))
  }
  const gateway = (kind: GatewayKind): Promise<TestGateway> => {
    const found = started.get(kind) ?? start(kind)
    started.set(kind, found)
    return found
  }
  const send = async (kind: GatewayKind, call: Call, more: Partial<Sent> = {}): Promise<Answer> => {
    const toolgate = await gateway(kind)
    return toolgate.send(call.method, call.target, {
      ...call,
      ...more,
      headers: { ...call.headers, ...more.headers },
    })
  }
  const rawHead = async (kind: GatewayKind, call: Call, lines: readonly string[], agent?: string) => {
    const toolgate = await gateway(kind)
    const token = toolgate.token(agent === undefined ? {} : { claims: { client_id: agent } })
    const fields = Object.entries(call.headers).map(([name, value]) => `${name}: ${value}`)
    return [
      `${call.method} ${call.target} HTTP/1.1`,
      ...(lines.some((line) => /^host:/i.test(line)) ? [] : ['Host: 127.0.0.1']),
      `Authorization: DPoP ${token}`,
      `DPoP: ${toolgate.proof(call.method, call.target, { token })}`,
      ...fields,
      ...lines,
    ]
  }
  return {
    parts,
    gateway,
    read: (kind, connector, more) => send(kind, READS[connector], more),
    write: (kind, connector, more) => send(kind, WRITES[connector], more),
    async raw(kind, connector, lines, body = READS[connector].body ?? '') {
      const head = await rawHead(kind, READS[connector], lines)
      if (body !== '') head.push(`Content-Length: ${body.length}`)
      await using client = await connectRaw((await gateway(kind)).gateway.port)
      client.send(`${head.join('\r\n')}\r\n\r\n${body}`)
      const { status, headers, body: reply } = await client.response()
      return answerOf(status, headers, reply.toString())
    },
    async unfinished(kind, connector) {
      const head = await rawHead(kind, WRITES[connector], ['Content-Length: 1000'])
      await using client = await connectRaw((await gateway(kind)).gateway.port)
      client.send(`${head.join('\r\n')}\r\n\r\n{`)
      const { status, headers, body } = await client.response()
      return answerOf(status, headers, body.toString())
    },
    async held(kind, connector, agent) {
      const before = upstream.heads.length
      const call = WRITES[connector]
      const body = call.body ?? ''
      const head = await rawHead(kind, call, ['User-Agent: hang', `Content-Length: ${body.length}`], agent)
      const client = await connectRaw((await gateway(kind)).gateway.port)
      client.send(`${head.join('\r\n')}\r\n\r\n${body}`)
      while (upstream.heads.length === before) await new Promise(setImmediate)
      return client
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
