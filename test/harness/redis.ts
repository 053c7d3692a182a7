import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { Redis } from 'ioredis'
import { freePorts } from './free-ports.ts'
import { until } from './until.ts'

export interface RunningRedis extends AsyncDisposable {
  readonly host: '127.0.0.1'
  readonly port: number
  /** `redis://127.0.0.1:port`, or `rediss://localhost:port` when started with `tls`. */
  readonly url: string
  /** Of the server as it is now: `restart` makes another. */
  pid(): number
  /** SIGSTOP: the kernel still accepts connections and bytes, but nobody answers. */
  pause(): void
  resume(): void
  /** SIGKILL, and wait until it is gone. */
  kill(): Promise<void>
  /** Starts again on the same port with the same arguments, after `kill`. Memory is lost. */
  restart(): Promise<void>
  /** A plain client for looking inside and for `CONFIG SET`; closed with the server. */
  readonly admin: Redis
}

export interface RedisOptions {
  /** Further command-line arguments, such as `['--maxmemory', '2mb']`. */
  readonly args?: readonly string[]
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string; readonly caFile: string }
}

export interface RunningSentinels extends AsyncDisposable {
  readonly name: 'toolgate'
  readonly sentinels: readonly { readonly host: '127.0.0.1'; readonly port: number }[]
  readonly primary: RunningRedis
  readonly replica: RunningRedis
  /** Resolves once a Sentinel announces the replica as the new primary and it accepts writes. */
  promoted(): Promise<void>
}

/** Path of a Redis-compatible server; says what to install when there is none. */
export function findRedis(): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/bin', '/usr/bin']
  for (const name of ['redis-server', 'valkey-server']) {
    for (const folder of folders) {
      const path = join(folder, name)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {
        // not in this folder
      }
    }
  }
  throw new Error(
    'No redis-server or valkey-server on PATH. Install one, 6.2 or newer: ' +
      '`apt-get install redis-server` (Debian, Ubuntu), `dnf install valkey` (Fedora), ' +
      '`brew install redis` or `brew install valkey` (macOS).',
  )
}

/** A real server on a free loopback port with its own folder, in memory only, gone when disposed. */
export async function startRedis(options: RedisOptions = {}): Promise<RunningRedis> {
  const directory = await mkdtemp(join(tmpdir(), 'toolgate-redis-'))
  const start = (port: number): Promise<ChildProcess> => spawnReady(serverArguments(port, directory, options))
  let { child, port } = await onFreePort(start)
  const tls = options.tls
  const admin = new Redis({
    host: '127.0.0.1',
    port,
    lazyConnect: true,
    retryStrategy: () => 20,
    ...(tls ? { tls: { rejectUnauthorized: false } } : {}),
  })
  // The server is killed on purpose by tests; its admin client only has to survive that.
  admin.on('error', () => {})
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  return {
    host: '127.0.0.1',
    port,
    url: tls ? `rediss://localhost:${port}` : `redis://127.0.0.1:${port}`,
    pid: () => child.pid ?? 0,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill: stop,
    restart: async () => {
      await stop()
      child = await start(port)
    },
    admin,
    [Symbol.asyncDispose]: async () => {
      admin.disconnect()
      await stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** A primary, its replica and three Sentinels with quorum 2 that notice a dead primary after 300 ms. */
export async function startRedisSentinel(options: RedisOptions = {}): Promise<RunningSentinels> {
  await using stack = new AsyncDisposableStack()
  const primary = stack.use(await startRedis(options))
  const replica = stack.use(
    await startRedis({
      ...options,
      args: [...(options.args ?? []), '--replicaof', `127.0.0.1 ${primary.port}`],
    }),
  )
  await until(async () => (await replica.admin.info('replication')).includes('master_link_status:up'))
  const started = await Promise.all([1, 2, 3].map(() => startOneSentinel(primary.port)))
  for (const sentinel of started) stack.use(sentinel)
  await Promise.all(started.map((sentinel) => until(() => knowsEveryone(sentinel.admin))))
  const owned = stack.move()
  return {
    name: 'toolgate',
    sentinels: started.map(({ port }) => ({ host: '127.0.0.1', port })),
    primary,
    replica,
    promoted: () => until(async () => (await replica.admin.info('replication')).includes('role:master')),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

interface RunningSentinel extends AsyncDisposable {
  readonly port: number
  readonly admin: Redis
}

async function startOneSentinel(primaryPort: number): Promise<RunningSentinel> {
  const directory = await mkdtemp(join(tmpdir(), 'toolgate-sentinel-'))
  const { child, port } = await onFreePort(async (candidate) => {
    const file = join(directory, 'sentinel.conf')
    await writeFile(file, sentinelConfiguration(candidate, primaryPort, directory))
    return spawnReady([file, '--sentinel'], '+monitor')
  })
  const admin = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 20 })
  admin.on('error', () => {})
  return {
    port,
    admin,
    [Symbol.asyncDispose]: async () => {
      admin.disconnect()
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function sentinelConfiguration(port: number, primaryPort: number, directory: string): string {
  return [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${directory}`,
    `sentinel monitor toolgate 127.0.0.1 ${primaryPort} 2`,
    'sentinel down-after-milliseconds toolgate 300',
    'sentinel failover-timeout toolgate 2000',
    'sentinel parallel-syncs toolgate 1',
    '',
  ].join('\n')
}

async function knowsEveryone(sentinel: Redis): Promise<boolean> {
  const [replicas, others] = await Promise.all([
    sentinel.call('SENTINEL', 'REPLICAS', 'toolgate'),
    sentinel.call('SENTINEL', 'SENTINELS', 'toolgate'),
  ])
  return Array.isArray(replicas) && Array.isArray(others) && replicas.length === 1 && others.length === 2
}

function serverArguments(port: number, directory: string, { args = [], tls }: RedisOptions): string[] {
  const listening = tls
    ? ['--port', '0', '--tls-port', String(port), '--tls-cert-file', tls.certificateFile]
    : ['--port', String(port)]
  const keys = tls
    ? ['--tls-key-file', tls.keyFile, '--tls-ca-cert-file', tls.caFile, '--tls-auth-clients', 'no']
    : []
  const fixed = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory]
  return [...listening, ...keys, ...fixed, '--repl-diskless-sync-delay', '0', ...args]
}

/** Another process may take a port between asking and binding, so a failed start is tried on another one. */
async function onFreePort(
  start: (port: number) => Promise<ChildProcess>,
): Promise<{ child: ChildProcess; port: number }> {
  let failure: unknown
  for (let attempt = 0; attempt < 5; attempt++) {
    const [port = 0] = await freePorts(1)
    try {
      return { child: await start(port), port }
    } catch (cause) {
      failure = cause
    }
  }
  throw new Error('redis did not start', { cause: failure })
}

function spawnReady(args: readonly string[], ready = 'Ready to accept connections'): Promise<ChildProcess> {
  const child = spawn(findRedis(), args, { stdio: ['ignore', 'pipe', 'pipe'] })
  // A test process that dies must not leave servers behind.
  const reap = (): void => void child.kill('SIGKILL')
  process.once('exit', reap)
  child.once('exit', () => process.removeListener('exit', reap))
  let said = ''
  return new Promise((resolve, reject) => {
    const listen = (chunk: Buffer): void => {
      said = (said + chunk.toString()).slice(-8192)
      if (said.includes(ready)) resolve(child)
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}: ${said}`)))
  })
}
