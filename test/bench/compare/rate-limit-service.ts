import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts } from '../../harness/free-ports.ts'
import { PEER_TOOLS } from '../../harness/peer-tools.ts'
import { startRedis } from '../../harness/redis.ts'
import { startServer } from './started-process.ts'

export interface RateLimitService extends AsyncDisposable {
  readonly port: number
  readonly pid: number
  readonly redisPid: number
}

/** What is counted, each on its own: as many, by as much, as in the gateway's configuration of the benches. */
export const COUNTED = [
  ['x-tenant'],
  ['x-tenant', 'x-agent'],
  ['x-tenant', 'x-principal'],
  ['x-tenant', 'x-agent', ':method'],
] as const

/** Envoy's rate limit service with a Redis of its own; its limits never say no, so that counting is what is measured. */
export async function startRateLimitService(folder: string): Promise<RateLimitService> {
  await using stack = new AsyncDisposableStack()
  const path = PEER_TOOLS.ratelimit.find()
  const redis = stack.use(await startRedis())
  const [port = 0, httpPort = 0, debugPort = 0] = await freePorts(3)
  const home = join(folder, `ratelimit-${String(port)}`)
  await mkdir(join(home, 'ratelimit', 'config'), { recursive: true })
  // JSON is YAML.
  const configuration = JSON.stringify({ domain: 'bench', descriptors: descriptorsOf(COUNTED) })
  await writeFile(join(home, 'ratelimit', 'config', 'bench.yaml'), configuration)
  const environment = {
    HOST: '127.0.0.1',
    PORT: String(httpPort),
    GRPC_HOST: '127.0.0.1',
    GRPC_PORT: String(port),
    DEBUG_HOST: '127.0.0.1',
    DEBUG_PORT: String(debugPort),
    USE_STATSD: 'false',
    LOG_LEVEL: 'error',
    BACKEND_TYPE: 'redis',
    REDIS_SOCKET_TYPE: 'tcp',
    REDIS_URL: `127.0.0.1:${String(redis.port)}`,
    RUNTIME_ROOT: home,
    RUNTIME_SUBDIRECTORY: 'ratelimit',
    RUNTIME_WATCH_ROOT: 'false',
  }
  const server = stack.use(await startServer([path], port, { environment, cwd: home }))
  const owned = stack.move()
  return { port, pid: server.pid, redisPid: redis.pid(), [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** A limit lies below the keys that it counts by, and each key may stand only once beside another. */
function descriptorsOf(counted: readonly (readonly string[])[]): object[] {
  const limit = { rate_limit: { unit: 'minute', requests_per_unit: 100_000_000 } }
  return [...Map.groupBy(counted, ([first = '']) => first)].map(([key, lists]) => {
    const below = lists.map((keys) => keys.slice(1)).filter((keys) => keys.length > 0)
    return { key, ...(below.length < lists.length ? limit : {}), descriptors: descriptorsOf(below) }
  })
}
