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
import { startFakes, type Fakes } from './fakes.ts'
import { settingsOf, type SettingsOptions } from './gateway-settings.ts'
import { type Issuer, startIssuer, type TokenOptions } from './issuer.ts'
import type { Certified } from './pki.ts'
import { type Answer, createSender } from './send.ts'
import { temporaryDirectory } from './temporary-directory.ts'

export interface TestGatewayOptions extends SettingsOptions {
  /** Policy in place of the committed one, as `compileRules` makes it. */
  readonly bundle?: Buffer
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

const SCENARIO_CLAIMS = {
  client_id: 'change-review-agent',
  sub: 'dana@zyx.example',
  tenant: 'zyx-bank',
  groups: ['devsecops-change-review'],
  device_compliant: true,
}

/** A whole gateway on loopback with the committed policy, an issuer and the four vendors' stand-ins. */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  await using stack = new AsyncDisposableStack()
  const directory = stack.use(await temporaryDirectory())
  const issuer = stack.use(await startIssuer())
  const fakes = stack.use(await startFakes())
  const bundlePath = join(directory.path, 'bundle.tar.gz')
  if (options.bundle !== undefined) await writeFile(bundlePath, options.bundle)
  const settings = settingsOf(options, {
    issuer,
    fakes,
    folder: directory.path,
    ...(options.bundle !== undefined && { bundlePath }),
  })
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
