import { until } from '../harness/until.ts'
import { type Sent, startTestGateway, type TestGateway, type TestGatewayOptions } from '../harness/gateway.ts'
import { connectRaw, type RawClient } from '../harness/raw-client.ts'
import { type Answer, answerOf } from '../harness/send.ts'
import { type Call, type ConnectorName, READS, WRITES } from './refusals-calls.ts'
import { type GatewayKind, KINDS } from './refusals-kinds.ts'
import { type Parts, startParts } from './refusals-parts.ts'

/** Gateways of every kind, started when first asked for. */
export interface Ground extends AsyncDisposable {
  readonly parts: Parts
  gateway(kind: GatewayKind): Promise<TestGateway>
  /** A call that policy allows, told apart by `more`. */
  read(kind: GatewayKind, connector: ConnectorName, more?: Partial<Sent>): Promise<Answer>
  write(kind: GatewayKind, connector: ConnectorName, more?: Partial<Sent>): Promise<Answer>
  /** The same read byte by byte: header lines of a valid call and `lines` beside them. */
  raw(kind: GatewayKind, connector: ConnectorName, lines: readonly string[]): Promise<Answer>
  /** A write whose body never comes to its end. */
  unfinished(kind: GatewayKind, connector: ConnectorName): Promise<Answer>
  /** A write that is under way at the upstream; ends with its disposal. */
  held(
    kind: GatewayKind,
    connector: ConnectorName,
    agent?: string,
    more?: readonly string[],
  ): Promise<RawClient>
  /** Waits until no call is in flight: one held before may still be on its way out. */
  idle(kind: GatewayKind): Promise<void>
}

export async function prepareGround(): Promise<Ground> {
  await using stack = new AsyncDisposableStack()
  const parts = await startParts(stack)
  const owned = stack.move()
  const started = new Map<GatewayKind, Promise<TestGateway>>()
  const start = async (kind: GatewayKind): Promise<TestGateway> => {
    const { bundle, upstream } = parts
    const options: TestGatewayOptions = KINDS[kind](parts)
    return owned.use(await startTestGateway({ bundle, upstream: upstream.origin, ...options }))
  }
  const gateway = (kind: GatewayKind): Promise<TestGateway> => {
    const found = started.get(kind) ?? start(kind)
    started.set(kind, found)
    return found
  }
  return {
    parts,
    gateway,
    read: async (kind, connector, more) => send(await gateway(kind), READS[connector], more),
    write: async (kind, connector, more) => send(await gateway(kind), WRITES[connector], more),
    async raw(kind, connector, lines) {
      const call = READS[connector]
      const { body = '' } = call
      await using client = await sendRawly(await gateway(kind), call, [...lines, ...lengthOf(body)], body)
      return await answered(client)
    },
    async unfinished(kind, connector) {
      const lines = ['Content-Length: 1000']
      await using client = await sendRawly(await gateway(kind), WRITES[connector], lines, '{')
      return await answered(client)
    },
    async idle(kind) {
      const toolgate = await gateway(kind)
      await until(async () => (await toolgate.metric('toolgate_calls_in_flight')) === 0)
    },
    async held(kind, connector, agent, more = []) {
      const { heads } = parts.upstream
      const before = heads.length
      const { body = '' } = WRITES[connector]
      const lines = ['User-Agent: hang', ...more, ...lengthOf(body)]
      const client = await sendRawly(await gateway(kind), WRITES[connector], lines, body, agent)
      while (heads.length === before) await new Promise(setImmediate)
      return client
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function send(toolgate: TestGateway, call: Call, more: Partial<Sent> = {}): Promise<Answer> {
  const headers = { ...call.headers, ...more.headers }
  return toolgate.send(call.method, call.target, { ...call, ...more, headers })
}

/** Sends the call byte by byte: header lines of a valid one, and `lines` after them; a Host among these replaces ours. */
async function sendRawly(
  toolgate: TestGateway,
  { method, target, headers }: Call,
  lines: readonly string[],
  body: string,
  agent?: string,
): Promise<RawClient> {
  const token = toolgate.token(agent === undefined ? {} : { claims: { client_id: agent } })
  const head = [
    `${method} ${target} HTTP/1.1`,
    ...(lines.some((line) => /^host:/i.test(line)) ? [] : ['Host: 127.0.0.1']),
    `Authorization: DPoP ${token}`,
    `DPoP: ${toolgate.proof(method, target, { token })}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...lines,
  ]
  const client = await connectRaw(toolgate.gateway.port)
  client.send(`${head.join('\r\n')}\r\n\r\n${body}`)
  return client
}

function lengthOf(body: string): string[] {
  return body === '' ? [] : [`Content-Length: ${body.length}`]
}

async function answered(client: RawClient): Promise<Answer> {
  const { status, headers, body } = await client.response()
  return answerOf(status, headers, body.toString())
}
