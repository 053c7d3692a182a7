import { readFile } from 'node:fs/promises'
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { type Gateway, startGateway } from '../../gateway/compose.ts'
import { parseConfig } from '../../gateway/config/load.ts'
import { type AuditEntry, decodeEntry } from '../../gateway/audit/entry.ts'
import { readEntries } from '../../gateway/audit/read-entries.ts'
import { createProofKey, type ProofKey, signProof, type ProofOptions } from './proof.ts'
import { startFakes, type Fakes, type FakeName } from './fakes.ts'
import { type Issuer, startIssuer, type TokenOptions } from './issuer.ts'
import type { Pki } from './pki.ts'
import { temporaryDirectory } from './temporary-directory.ts'

type Settings = Readonly<Record<string, unknown>>

export interface TestGatewayOptions {
  /** Sections laid over the defaults, key by key; an array replaces an array. */
  readonly settings?: Settings
  /** TLS with a certificate of this authority; client certificates are asked for, not demanded. */
  readonly pki?: Pki
  /** Token bound to this certificate's hash by default, instead of to the DPoP key. */
  readonly redisUrl?: string
}

export interface Sent {
  readonly token?: string | undefined
  /** `null` sends no proof. */
  readonly proof?: string | null
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  readonly callId: string
  readonly decision: string
  /** `code` of the refusal, however the dialect wraps it; empty for an upstream's answer. */
  readonly code: string
  json(): unknown
}

export interface TestGateway extends AsyncDisposable {
  readonly gateway: Gateway
  readonly origin: string
  readonly issuer: Issuer
  readonly fakes: Fakes
  readonly key: ProofKey
  readonly auditDirectory: string
  /** A token of the change review agent, for dana@zyx.example, bound to `key`; `claims` replaces members. */
  token(options?: TokenOptions): string
  proof(method: string, target: string, more?: Partial<ProofOptions>): string
  /** One call with a fresh proof; `target` begins with the connector's prefix. */
  send(method: string, target: string, more?: Sent): Promise<Answer>
  /** Every entry on record so far. */
  records(): Promise<AuditEntry[]>
  recordsOf(callId: string): Promise<AuditEntry[]>
  logLines(): Promise<Readonly<Record<string, unknown>>[]>
  /** Value of one series of the exposition, 0 when there is none: `metric('toolgate_calls_total', { reason: 'allowed' })`. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>
}

const SCENARIO_CLAIMS = {
  client_id: 'change-review-agent',
  sub: 'dana@zyx.example',
  tenant: 'zyx-bank',
  groups: ['devsecops-change-review'],
  device_compliant: true,
}

/** A whole gateway on loopback with the committed policy, an issuer and the four vendors' stand-ins. */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const stack = new AsyncDisposableStack()
  const directory = stack.use(await temporaryDirectory())
  const issuer = stack.use(await startIssuer())
  const fakes = stack.use(await startFakes())
  const settings = merge(defaultSettings(options, issuer, fakes, directory.path), options.settings ?? {})
  const environment = fakes.environment
  const config = parseConfig(JSON.stringify(settings), { environment, folder: directory.path })
  const gateway = stack.use(await startGateway(config, { environment, worker: 0 }))
  const scheme = options.pki === undefined ? 'http' : 'https'
  const origin = `${scheme}://127.0.0.1:${gateway.port}`
  const key = createProofKey()
  const agent =
    options.pki === undefined
      ? new HttpAgent({ keepAlive: true })
      : new HttpsAgent({ keepAlive: true, ca: options.pki.ca })
  stack.defer(() => agent.destroy())

  const token = (more: TokenOptions = {}): string =>
    issuer.token({ jkt: key.jkt, ...more, claims: { ...SCENARIO_CLAIMS, ...more.claims } })
  const proof = (method: string, target: string, more: Partial<ProofOptions> = {}): string =>
    signProof({ key, method, url: origin + target, ...more })
  const records = async (): Promise<AuditEntry[]> => {
    const found: AuditEntry[] = []
    for await (const { bytes } of readEntries(config.audit.directory)) {
      const entry = decodeEntry(bytes)
      if (entry !== undefined) found.push(entry)
    }
    return found
  }
  return {
    gateway,
    origin,
    issuer,
    fakes,
    key,
    auditDirectory: config.audit.directory,
    token,
    proof,
    async send(method, target, more = {}) {
      const accessToken = more.token ?? token()
      const dpop = more.proof === undefined ? proof(method, target, { token: accessToken }) : more.proof
      const headers = {
        authorization: `DPoP ${accessToken}`,
        ...(dpop === null ? {} : { dpop }),
        'user-agent': 'toolgate-test',
        ...more.headers,
      }
      return exchange(agent, origin, method, target, headers, more.body)
    },
    records,
    recordsOf: async (callId) =>
      (await records()).filter((entry) => 'call' in entry && entry.call === callId),
    logLines: async () => {
      const text = await readFile(config.telemetry.logDestination, 'utf8')
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    },
    metric: async (name, labels = {}) => seriesValue((await gateway.metrics()).text, name, labels),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

function defaultSettings(
  options: TestGatewayOptions,
  issuer: Issuer,
  fakes: Fakes,
  folder: string,
): Settings {
  const server = options.pki?.server()
  const connector = (name: FakeName, credential: Settings): Settings => ({
    origin: fakes[name].origin,
    credential,
    allowAddresses: ['127.0.0.0/8'],
  })
  const basic = (variable: string): Settings => ({
    type: 'basic',
    username: 'toolgate@zyx.example',
    password: variable,
  })
  return {
    listen: {
      port: 0,
      drain: { graceMs: 0, deadlineMs: 5_000 },
      ...(server === undefined || options.pki === undefined
        ? {}
        : {
            tls: {
              certificateFile: server.certFile,
              keyFile: server.keyFile,
              clientCaFile: options.pki.caFile,
              clientCertificate: 'request',
            },
          }),
    },
    identity: {
      issuers: [{ issuer: issuer.issuer, audiences: issuer.config.audiences, jwks: { uri: issuer.jwksUri } }],
    },
    store: options.redisUrl === undefined ? {} : { kind: 'redis', redis: { url: options.redisUrl } },
    connectors: {
      github: {
        ...connector('github', { type: 'bearer', token: 'env:GITHUB' }),
        environments: [
          { resource: 'repository', value: 'zyx/payments-core', environment: 'production' },
          { resource: 'repository', value: 'zyx/platform-infra', environment: 'staging' },
        ],
      },
      jira: connector('jira', basic('env:JIRA')),
      confluence: connector('confluence', basic('env:CONFLUENCE')),
      slack: connector('slack', { type: 'bearer', token: 'env:SLACK' }),
    },
    audit: { directory: join(folder, 'audit') },
    telemetry: { logDestination: join(folder, 'gateway.log') },
  }
}

function merge(below: Settings, above: Settings): Settings {
  const merged: Record<string, unknown> = { ...below }
  for (const [name, value] of Object.entries(above)) {
    const held = merged[name]
    merged[name] = isSettings(held) && isSettings(value) ? merge(held, value) : value
  }
  return merged
}

function isSettings(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function exchange(
  agent: HttpAgent | HttpsAgent,
  origin: string,
  method: string,
  target: string,
  headers: Readonly<Record<string, string>>,
  body: string | Buffer | undefined,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const { hostname, port } = new URL(origin)
  const send = agent instanceof HttpsAgent ? httpsRequest : httpRequest
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const request = send({ agent, hostname, port, method, path: target, headers: { ...headers, ...length } })
  request.on('error', reject)
  request.on('response', (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('error', reject)
    response.on('end', () => resolve(answerOf(response, Buffer.concat(chunks).toString())))
  })
  request.end(body)
  return promise
}

function answerOf({ statusCode = 0, headers }: IncomingMessage, text: string): Answer {
  const decision = String(headers['toolgate-decision'] ?? '')
  return {
    status: statusCode,
    headers,
    text,
    callId: String(headers['toolgate-call-id'] ?? ''),
    decision,
    code: decision === 'allow' ? '' : refusalCodeIn(text),
    json: () => JSON.parse(text) as unknown,
  }
}

function refusalCodeIn(text: string): string {
  const body: unknown = text === '' ? {} : JSON.parse(text)
  return isSettings(body) && typeof body['code'] === 'string' ? body['code'] : ''
}

function seriesValue(exposition: string, name: string, labels: Readonly<Record<string, string>>): number {
  let total = 0
  for (const line of exposition.split('\n')) {
    const [, series, value] = /^([a-z_]+(?:\{.*\})?) (\S+)$/.exec(line) ?? []
    if (series === undefined || (series !== name && !series.startsWith(`${name}{`))) continue
    const matches = Object.entries(labels).every(([label, wanted]) => series.includes(`${label}="${wanted}"`))
    if (matches) total += Number(value)
  }
  return total
}
