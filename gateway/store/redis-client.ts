import { readFileSync } from 'node:fs'
import { Redis, type RedisOptions } from 'ioredis'

export interface RedisClientOptions {
  /** `redis://host:port/db` or `rediss://…`; with Sentinels only its scheme, user and database count. */
  readonly url: string
  /** The value, already read from its reference. */
  readonly password: string | undefined
  readonly sentinels: readonly { readonly host: string; readonly port: number }[]
  readonly sentinelName: string | undefined
  /** Longest wait for one answer. */
  readonly timeoutMs: number
  readonly caFile: string | undefined
}

const CONNECT_TIMEOUT_MS = 1_000
const LONGEST_RECONNECT_MS = 500

/**
 * A client that fails fast: nothing is queued while disconnected and nothing is sent twice after a reconnect,
 * because an admission that did reach the server the first time would then look like a replay of itself.
 * Errors of the connection go to `onError`; without a listener ioredis prints them.
 */
export function createRedisClient(options: RedisClientOptions, onError: (cause: Error) => void): Redis {
  const url = new URL(options.url)
  const tls = url.protocol === 'rediss:'
  const trust = tls && options.caFile !== undefined ? { ca: readFileSync(options.caFile) } : {}
  const shared: RedisOptions = {
    db: Number(url.pathname.slice(1) || '0'),
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(options.password === undefined ? {} : { password: options.password }),
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: options.timeoutMs,
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: reconnectDelay,
    // A demoted primary answers READONLY: leave it, so that Sentinel (or DNS) can name the new one.
    reconnectOnError: (cause) => cause.message.startsWith('READONLY'),
    disableClientInfo: true,
  }
  const place: RedisOptions =
    options.sentinels.length === 0
      ? { host: url.hostname, port: Number(url.port || '6379'), ...(tls ? { tls: trust } : {}) }
      : {
          sentinels: options.sentinels.map(({ host, port }) => ({ host, port })),
          name: options.sentinelName ?? 'mymaster',
          failoverDetector: true,
          sentinelRetryStrategy: reconnectDelay,
          sentinelCommandTimeout: CONNECT_TIMEOUT_MS,
          ...(tls ? { tls: trust, sentinelTLS: trust, enableTLSForSentinelMode: true } : {}),
        }
  const client = new Redis({ ...shared, ...place, replyMapping: 'legacy' })
  client.on('error', onError)
  return client
}

/** Jitter keeps a fleet from knocking in step at a server that is coming back. */
function reconnectDelay(attempt: number): number {
  const ceiling = Math.min(LONGEST_RECONNECT_MS, 25 * 2 ** Math.min(attempt, 10))
  return ceiling / 2 + Math.random() * (ceiling / 2)
}
