import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Gateway, startGateway } from '../../gateway/compose.ts'
import type { Config } from '../../gateway/config/config.ts'
import { parseConfig } from '../../gateway/config/load.ts'
import { type AuditEntry, decodeEntry } from '../../gateway/audit/entry.ts'
import { readEntries } from '../../gateway/audit/read-entries.ts'
import type { Clock } from '../../gateway/lib/clock.ts'
import { createProofKey, type ProofKey, signProof, type ProofOptions } from './proof.ts'
import { startFakes, type Fakes, type FakeName } from './fakes.ts'
import { type Issuer, startIssuer, type TokenOptions } from './issuer.ts'
import type { Certified, Pki } from './pki.ts'
import { type Answer, createSender } from './send.ts'
import { temporaryDirectory } from './temporary-directory.ts'

type Settings = Readonly<Record<string, unknown>>

export interface TestGatewayOptions {
  /** Sections laid over the defaults, key by key; an array replaces an array. */
  readonly settings?: Settings
  /** TLS with a certificate of this authority; client certificates are asked for, not demanded. */
  readonly pki?: Pki
  readonly redisUrl?: string
  /** Policy in place of the committed one, as `compileRules` makes it. */
  readonly bundle?: Buffer
  /** Issuers accepted beside the gateway's own, as toolgate.yaml names them. */
  readonly issuers?: readonly Settings[]
  /** Origin of one upstream in place of all four stand-ins. */
  readonly upstream?: string
  /** Variables beside the stand-ins' credentials. */
  readonly environment?: Readonly<Record<string, string>>
  readonly clock?: Clock
  /** Folder of connectors in place of those that come with the gateway. */
  readonly connectorsDirectory?: string
}

export interface Sent {
  readonly token?: string | undefined
  /** `null` sends no proof, and the token as Bearer. */
  readonly proof?: string | null
  /** In place of scheme and token; `null` sends no Authorization. */
  readonly authorization?: string | null
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** Certificate to show. */
  readonly client?: Certified
  /** Address of this machine to send it from, such as 127.0.0.2. */
  readonly from?: string
  /** Where the request goes, and what its proof is for, in place of the gateway's main port. */
  readonly origin?: string
}

export interface TestGateway extends AsyncDisposable {
  readonly gateway: Gateway
  readonly origin: string
  readonly issuer: Issuer
  readonly fakes: Fakes
  readonly key: ProofKey
  readonly auditDirectory: string
  /** The configuration it was started with. */
  readonly loaded: Config
  /** A token of the change review agent, for dana@zyx.example, bound to `key`; `claims` replaces members. */
  token(options?: TokenOptions): string
  proof(method: string, target: string, more?: Partial<ProofOptions>): string
  /** One call with a fresh proof; `target` begins with the connector's prefix. */
  send(method: string, target: string, more?: Sent): Promise<Answer>
  /** Every entry on record so far. */
  records(): Promise<AuditEntry[]>
  recordsOf(callId: string): Promise<AuditEntry[]>
  logLines(): Promise<Readonly<Record<string, unknown>>[]>
  /** Lines about one call. */
  linesOf(callId: string): Promise<Readonly<Record<string, unknown>>[]>
  /** Value of one series of the exposition, 0 when there is none: `metric('toolgate_calls_total', { reason: 'allowed' })`. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>
}

const LOG_SETTLES_MS = 25

/** A busy machine is no failing store. */
const REDIS_TIMEOUT_MS = 5_000

const SCENARIO_CLAIMS = {
  client_id: 'change-review-agent',
  sub: 'dana@zyx.example',
  tenant: 'zyx-bank',
  groups: ['devsecops-change-review'],
  device_compliant: true,
}

/** Vouches for the people of `person` in `approval.ts`; nobody asks for its keys where the admin listener is not open. */
const PEOPLE_ISSUER = {
  issuer: 'https://people.example',
  audiences: ['https://admin.test'],
  jwks: { uri: 'https://people.example/jwks' },
}

/** A whole gateway on loopback with the committed policy, an issuer and the four vendors' stand-ins. */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  await using stack = new AsyncDisposableStack()
  const directory = stack.use(await temporaryDirectory())
  const issuer = stack.use(await startIssuer())
  const fakes = stack.use(await startFakes())
  const bundlePath = join(directory.path, 'bundle.tar.gz')
  if (options.bundle !== undefined) await writeFile(bundlePath, options.bundle)
  const settings = merge(
    defaultSettings(options, issuer, fakes, directory.path, bundlePath),
    options.settings ?? {},
  )
  const environment = { ...fakes.environment, ...options.environment }
  const config = parseConfig(JSON.stringify(settings), { environment, folder: directory.path })
  const gateway = stack.use(
    await startGateway(config, {
      environment,
      worker: 0,
      ...(options.clock && { clock: options.clock }),
      ...(options.connectorsDirectory !== undefined && { connectorsDirectory: options.connectorsDirectory }),
    }),
  )
  const scheme = options.pki === undefined ? 'http' : 'https'
  const origin = `${scheme}://127.0.0.1:${gateway.port}`
  const key = createProofKey()
  const sender = stack.use(createSender(options.pki))

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
  const logLines = async (): Promise<Record<string, unknown>[]> => {
    const text = await settledText(config.telemetry.logDestination)
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }
  const owned = stack.move()
  return {
    gateway,
    origin,
    issuer,
    fakes,
    key,
    auditDirectory: config.audit.directory,
    loaded: config,
    token,
    proof,
    async send(method, target, { body, client, from, origin: to = origin, ...more } = {}) {
      const accessToken = more.token ?? token()
      const url = to + target
      const dpop = more.proof === undefined ? proof(method, target, { token: accessToken, url }) : more.proof
      const { authorization = `${dpop === null ? 'Bearer' : 'DPoP'} ${accessToken}` } = more
      const headers = {
        ...(authorization === null ? {} : { authorization }),
        ...(dpop === null ? {} : { dpop }),
        'user-agent': 'toolgate-test',
        ...more.headers,
      }
      return sender.send({ origin: to, method, target, headers, body, client, from })
    },
    records,
    recordsOf: async (callId) =>
      (await records()).filter((entry) => 'call' in entry && entry.call === callId),
    logLines,
    linesOf: async (callId) => (await logLines()).filter((line) => line['call_id'] === callId),
    metric: async (name, labels = {}) => seriesValue((await gateway.metrics()).text, name, labels),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** The file once nothing has been added for a while: lines gather for a moment before they are written. */
async function settledText(path: string): Promise<string> {
  let before: string | undefined
  let text = await readFile(path, 'utf8')
  while (text !== before) {
    before = text
    await pause(LOG_SETTLES_MS)
    text = await readFile(path, 'utf8')
  }
  return text
}

function defaultSettings(
  options: TestGatewayOptions,
  issuer: Issuer,
  fakes: Fakes,
  folder: string,
  bundlePath: string,
): Settings {
  const server = options.pki?.server()
  const connector = (name: FakeName, credential: Settings): Settings => ({
    origin: options.upstream ?? fakes[name].origin,
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
      admin: { people: { issuers: [PEOPLE_ISSUER] } },
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
      issuers: [
        {
          issuer: issuer.issuer,
          audiences: issuer.config.audiences,
          jwks: { uri: issuer.jwksUri },
          ...(options.issuers === undefined ? {} : { tenants: ['zyx-bank'] }),
        },
        ...(options.issuers ?? []),
      ],
    },
    ...(options.bundle === undefined ? {} : { policy: { bundle: bundlePath } }),
    store:
      options.redisUrl === undefined
        ? { controlFile: join(folder, 'control.db') }
        : {
            kind: 'redis',
            controlFile: join(folder, 'control.db'),
            redis: { url: options.redisUrl, timeoutMs: REDIS_TIMEOUT_MS },
          },
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
    audit: {
      directory: join(folder, 'audit'),
      disclosures: { directory: join(folder, 'disclosures'), keyFile: join(folder, 'disclosures.key') },
    },
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
