import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Certified, Pki } from './pki.ts'

/** What a caller got back, whole. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** Flat name, value list of the wire. */
  readonly rawHeaders: readonly string[]
  readonly text: string
  readonly callId: string
  readonly decision: string
  /** `code` of the refusal, however the dialect wraps it; empty for an upstream's answer. */
  readonly code: string
  json(): unknown
}

export interface Exchange {
  readonly origin: string
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer | undefined
  /** Certificate to show, where the gateway speaks TLS. */
  readonly client?: Certified | undefined
  /** Address of this machine to send it from. */
  readonly from?: string | undefined
}

/** Sends requests over kept connections, one set of them for each client certificate. */
export interface Sender extends Disposable {
  send(exchange: Exchange): Promise<Answer>
}

export function createSender(pki: Pki | undefined): Sender {
  const agents = new Map<Certified | undefined, HttpAgent | HttpsAgent>()
  const agentFor = (client: Certified | undefined): HttpAgent | HttpsAgent => {
    let agent = agents.get(client)
    if (agent === undefined) {
      const shown = client === undefined ? {} : { cert: client.cert, key: client.key }
      agent =
        pki === undefined
          ? new HttpAgent({ keepAlive: true })
          : new HttpsAgent({ keepAlive: true, ca: pki.ca, ...shown })
      agents.set(client, agent)
    }
    return agent
  }
  return {
    send: (exchange) => send(agentFor(exchange.client), exchange),
    [Symbol.dispose]: () => {
      for (const agent of agents.values()) agent.destroy()
    },
  }
}

function send(
  agent: HttpAgent | HttpsAgent,
  { origin, method, target, headers, body, from }: Exchange,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const { hostname, port } = new URL(origin)
  const request = agent instanceof HttpsAgent ? httpsRequest : httpRequest
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const outgoing = request({
    agent,
    hostname,
    port,
    method,
    path: target,
    headers: { ...headers, ...length },
    localAddress: from,
  })
  outgoing.on('error', reject)
  outgoing.on('response', (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('error', reject)
    response.on('end', () => {
      const { statusCode = 0, rawHeaders } = response
      resolve(answerOf(statusCode, rawHeaders, Buffer.concat(chunks).toString(), response.headers))
    })
  })
  outgoing.end(body)
  return promise
}

/** The answer in these parts; `headers` as Node joins them, or the last of each name where it is left out. */
export function answerOf(
  status: number,
  rawHeaders: readonly string[],
  text: string,
  headers: IncomingMessage['headers'] = joined(rawHeaders),
): Answer {
  const decision = String(headers['toolgate-decision'] ?? '')
  return {
    status,
    headers,
    rawHeaders,
    text,
    callId: String(headers['toolgate-call-id'] ?? ''),
    decision,
    code: decision === 'allow' ? '' : refusalCodeIn(text),
    json: () => JSON.parse(text) as unknown,
  }
}

function joined(rawHeaders: readonly string[]): IncomingMessage['headers'] {
  const headers: IncomingMessage['headers'] = {}
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    headers[(rawHeaders[index] ?? '').toLowerCase()] = rawHeaders[index + 1]
  }
  return headers
}

function refusalCodeIn(text: string): string {
  const body: unknown = text === '' ? {} : JSON.parse(text)
  const code = typeof body === 'object' && body !== null && 'code' in body ? body.code : undefined
  return typeof code === 'string' ? code : ''
}
