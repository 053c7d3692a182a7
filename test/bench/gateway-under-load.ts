import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startIssuer } from '../harness/issuer.ts'
import type { Issuer } from '../harness/issuer.ts'
import { createPki } from '../harness/pki.ts'
import { createProofKey } from '../harness/proof.ts'
import { startRedis } from '../harness/redis.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'
import { freePorts } from '../harness/free-ports.ts'
import { configFileIn, runToolgate, untilReady } from '../harness/toolgate-process.ts'
import type { LoadPlan } from './load-client.ts'

/** One way of running and calling the gateway. */
export interface Scenario {
  readonly binding: 'dpop' | 'mtls'
  readonly store: 'embedded' | 'redis'
  readonly access: 'read' | 'write'
  readonly connections: number
}

export interface UnderLoad extends AsyncDisposable {
  readonly pid: number
  readonly plan: LoadPlan
  /** From the start of the process to the first `/readyz` that says yes. */
  readonly startMs: number
}

export interface SurroundingsOptions {
  readonly upstreamPort: number
  /** Where the gateway leaves a profile of its processor time; none when undefined. */
  readonly profileDirectory: string | undefined
}

const AGENTS = 50
const WEEK = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']
const COMMENT = {
  version: 1,
  type: 'doc',
  content: [
    {
      type: 'paragraph',
      content: [{ type: 'text', text: 'Advisory: no public bucket, rollback plan present.' }],
    },
  ],
}
const CALLS = {
  read: { method: 'GET', target: '/github/repos/zyx/platform-infra/pulls/{n}', body: '' },
  write: {
    method: 'POST',
    target: '/jira/rest/api/3/issue/CHG-18422/comment',
    body: JSON.stringify({ body: COMMENT }),
  },
} as const

/** `toolgate start` with every control on, one worker, in a process of its own. */
export async function startUnderLoad(
  scenario: Scenario,
  { upstreamPort, profileDirectory }: SurroundingsOptions,
): Promise<UnderLoad> {
  await using stack = new AsyncDisposableStack()
  const directory = stack.use(await temporaryDirectory())
  const issuer = stack.use(await startIssuer())
  const pki = stack.use(createPki())
  const redis = scenario.store === 'redis' ? stack.use(await startRedis()) : undefined
  const [port = 0, adminPort = 0] = await freePorts(2)
  const server = pki.server()
  const client = pki.client()
  const tls = {
    certificateFile: server.certFile,
    keyFile: server.keyFile,
    clientCaFile: pki.caFile,
    clientCertificate: 'request',
  }
  const settings = {
    ...settingsOf({ issuer, upstreamPort, folder: directory.path }),
    listen: {
      port,
      admin: { port: adminPort },
      drain: { graceMs: 0, deadlineMs: 1_000 },
      ...(scenario.binding === 'mtls' ? { tls } : {}),
    },
    store: redis === undefined ? {} : { kind: 'redis', redis: { url: redis.url, timeoutMs: 5_000 } },
  }
  // JSON is YAML.
  await writeFile(configFileIn(directory.path), JSON.stringify(settings))
  if (profileDirectory !== undefined) await mkdir(profileDirectory, { recursive: true })
  const startedMs = performance.now()
  const gateway = runToolgate(['start', '--config', configFileIn(directory.path)], {
    BENCH_TOKEN: 'upstream-token-of-the-bench',
    ...(profileDirectory && { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileDirectory}` }),
  })
  stack.defer(async () => {
    // A profile is written only by a process that ends by itself.
    gateway.child.kill('SIGTERM')
    await gateway.ended
  })
  await untilReady(gateway, adminPort)
  const startMs = performance.now() - startedMs
  const mtls = { ca: pki.ca, cert: client.cert, key: client.key }
  const owned = stack.move()
  return {
    pid: gateway.child.pid ?? 0,
    startMs,
    plan: {
      ...CALLS[scenario.access],
      ...callersOf(scenario.binding, issuer, client.x5t),
      port,
      tls: scenario.binding === 'mtls' ? mtls : undefined,
      connections: scenario.connections,
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Fifty agents with a key each, or one client certificate for all connections. */
function callersOf(
  binding: Scenario['binding'],
  issuer: Issuer,
  x5t: string,
): Pick<LoadPlan, 'headers' | 'agents'> {
  const claims = {
    client_id: 'change-review-agent',
    sub: 'dana@zyx.example',
    tenant: 'zyx-bank',
    groups: ['devsecops-change-review'],
    device_compliant: true,
  }
  const headers = {
    'User-Agent': 'bench',
    Accept: 'application/json',
    'Toolgate-Task': 'CHG-18422',
    'Toolgate-Ticket': 'CHG-18422',
    'Toolgate-Rollback-Plan': 'Delete the comment',
  }
  if (binding === 'mtls') {
    return { headers: { ...headers, Authorization: `Bearer ${issuer.token({ x5t, claims })}` }, agents: [] }
  }
  const agents = Array.from({ length: AGENTS }, () => {
    const { algorithm, jkt, publicJwk, privateJwk } = createProofKey()
    return { token: issuer.token({ jkt, claims }), key: { algorithm, jkt, publicJwk, privateJwk } }
  })
  return { headers, agents }
}

interface Places {
  readonly issuer: Issuer
  readonly upstreamPort: number
  readonly folder: string
}

/** Limits of every kind that never say no, so that what is measured is the counting. */
function settingsOf({ issuer, upstreamPort, folder }: Places): object {
  const rate = (name: string, by: readonly string[]) => ({
    name,
    by,
    calls: 1_000_000,
    windowMs: 60_000,
    burst: 1_000_000,
  })
  const connector = {
    origin: `http://127.0.0.1:${String(upstreamPort)}`,
    credential: { type: 'bearer', token: 'env:BENCH_TOKEN' },
    allowAddresses: ['127.0.0.0/8'],
  }
  return {
    identity: {
      issuers: [{ issuer: issuer.issuer, audiences: issuer.config.audiences, jwks: { uri: issuer.jwksUri } }],
    },
    // Any hour of any day, so that a write is allowed whenever the bench runs.
    policy: { businessHours: { days: WEEK, fromHour: 0, toHour: 24 } },
    limits: {
      rates: [
        rate('tenant', ['tenant']),
        rate('agent', ['tenant', 'agent']),
        rate('principal', ['tenant', 'principal']),
        rate('operation', ['tenant', 'agent', 'operation']),
      ],
      quotas: [{ name: 'daily', by: ['tenant', 'agent'], calls: 1_000_000_000 }],
      concurrency: [{ name: 'held', by: ['tenant', 'agent'], calls: 1_000 }],
    },
    connectors: {
      github: {
        ...connector,
        environments: [{ resource: 'repository', value: 'zyx/platform-infra', environment: 'staging' }],
      },
      jira: connector,
      confluence: connector,
      slack: connector,
    },
    audit: { directory: join(folder, 'audit') },
    telemetry: { logDestination: join(folder, 'log', 'gateway.log') },
  }
}
