import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts } from '../../harness/free-ports.ts'
import { startRedis } from '../../harness/redis.ts'
import { configFileIn, runToolgate, untilReady } from '../../harness/toolgate-process.ts'
import { CALLS, callers, HEADERS, outsider } from './callers.ts'
import type { Binding } from './callers.ts'
import type { Access, RunningRow, World } from './row.ts'
import { settingsOf } from './toolgate-settings.ts'

/** One way of running and calling the gateway. */
export interface Scenario {
  readonly binding: Binding
  readonly store: 'embedded' | 'redis'
  readonly access: Access
  /** When a call counts as on record: handed to the operating system, or fsynced. */
  readonly durability: 'flushed' | 'strict'
  readonly workers: number
  /** How many different agents call; as many tokens. */
  readonly agents?: number
  readonly claimsOf?: (index: number) => object
  /** Members of these sections of toolgate.yaml beside, or instead of, those of the benches. */
  readonly policy?: object
  readonly listen?: object
  readonly limits?: object
  readonly approvals?: object
  /** Who may answer for people at the admin listener; nobody without it. */
  readonly people?: object
}

export interface RunningToolgate extends RunningRow {
  readonly adminPort: number
  /** From the start of the process to the first `/readyz` that says yes. */
  readonly startMs: number
}

/** `toolgate start` with every control on, as it comes, in a process of its own. */
export async function startToolgate(scenario: Scenario, world: World): Promise<RunningToolgate> {
  const { binding, access, workers } = scenario
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(world.folder, 'toolgate-'))
  const redis = scenario.store === 'redis' ? stack.use(await startRedis()) : undefined
  const [port = 0, adminPort = 0] = await freePorts(2)
  const client = world.pki.client()
  const { listen, ...settings } = settingsOf({ ...world, folder, durability: scenario.durability, access })
  const whole = {
    ...settings,
    workers,
    policy: { ...settings.policy, ...scenario.policy },
    listen: {
      ...listen,
      ...scenario.listen,
      port,
      admin: { port: adminPort, people: scenario.people ?? {} },
      ...tlsOf(binding, world),
    },
    limits: { ...settings['limits'], ...scenario.limits },
    approvals: scenario.approvals ?? {},
    store: redis === undefined ? {} : { kind: 'redis', redis: { url: redis.url, timeoutMs: 5_000 } },
  }
  const identity = { ...settings.identity, dangerouslyAllowUnboundTokens: binding === 'none' }
  // JSON is YAML.
  await writeFile(configFileIn(folder), JSON.stringify({ ...whole, identity }))
  const { gateway, startMs } = await start(folder, adminPort, world.profileDirectory)
  // A bench that is stopped leaves no gateway behind.
  const reap = (): void => gateway.signal('SIGKILL')
  process.once('exit', reap)
  stack.defer(async () => {
    process.removeListener('exit', reap)
    // A profile is written only by a process that ends by itself.
    gateway.child.kill('SIGTERM')
    await gateway.ended
  })
  const mtls = { ca: world.pki.ca, cert: client.cert, key: client.key }
  const { agents: count = 50, claimsOf = () => ({}) } = scenario
  const who = { issuer: world.issuer, x5t: client.x5t }
  const agents = callers(binding, who, { count, claimsOf })
  const owned = stack.move()
  return {
    processes: { toolgate: gateway.child.pid ?? 0, ...(redis && { redis: redis.pid() }) },
    startMs,
    adminPort,
    outsider: outsider(binding, who),
    plan: { ...CALLS[access], headers: HEADERS, agents, port, tls: binding === 'mtls' ? mtls : undefined },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function tlsOf(binding: Binding, { pki }: World): object {
  if (binding !== 'mtls') return {}
  const { certFile, keyFile } = pki.server()
  const tls = { certificateFile: certFile, keyFile, clientCaFile: pki.caFile, clientCertificate: 'request' }
  return { tls }
}

async function start(
  folder: string,
  adminPort: number,
  profileDirectory: string | undefined,
): Promise<{ gateway: ReturnType<typeof runToolgate>; startMs: number }> {
  if (profileDirectory !== undefined) await mkdir(profileDirectory, { recursive: true })
  const startedMs = performance.now()
  const gateway = runToolgate(['start', '--config', configFileIn(folder)], {
    BENCH_TOKEN: 'upstream-token-of-the-bench',
    ...(profileDirectory && { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileDirectory}` }),
  })
  await untilReady(gateway, adminPort)
  return { gateway, startMs: performance.now() - startedMs }
}
