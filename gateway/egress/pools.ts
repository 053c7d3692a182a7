import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import { Agent, Pool } from 'undici'
import type { ConnectorConfig } from '../config/config.ts'
import { ConfigError } from '../config/problem.ts'
import { createAddressGuard } from './address-guard.ts'
import { createGuardedConnector } from './guarded-connector.ts'
import type { Lookup } from './guarded-connector.ts'

/** How one upstream is connected to; the part of a connector's configuration that concerns sockets. */
export type UpstreamLimits = Pick<
  ConnectorConfig,
  'allowAddresses' | 'caFile' | 'connections' | 'connectTimeoutMs' | 'replyTimeoutMs' | 'idleTimeoutMs'
>

/** Vendors send long policies and cookies in headers; more than this is an attack or a fault. */
const REPLY_HEADER_LIMIT_BYTES = 64 * 1024
const FOLLOWED_ORIGINS = 64

/** How one connector's upstreams are reached: judged and read once, when the configuration is. */
export interface Transport {
  /**
   * Connections to one pinned origin. Pipelining stays at 1: a reply that breaks framing can then only harm its own
   * request.
   */
  createPool(origin: string): Pool
  /** Connections for followed redirects, made per origin as needed and closed when idle. */
  createFollower(): Agent
}

/**
 * `path` is that of the settings. Throws a `ConfigError` when an allowed range is none or the CA file cannot be read.
 */
export function createTransport(path: string, limits: UpstreamLimits, lookup: Lookup | undefined): Transport {
  const guard = checked(`${path}.allowAddresses`, () => createAddressGuard(limits.allowAddresses))
  const { caFile, connections, connectTimeoutMs } = limits
  const authorities =
    caFile === undefined ? undefined : checked(`${path}.caFile`, () => readCertificates(caFile))
  // Storage behind a redirect is often public where the upstream itself is private.
  const withPublic = authorities === undefined ? undefined : [...rootCertificates, authorities]
  const connect = (ca: string | string[] | undefined): ReturnType<typeof createGuardedConnector> =>
    createGuardedConnector({ guard, connectTimeoutMs, ca, lookup })
  const common = commonOptions(limits)
  return {
    createPool: (origin) => new Pool(origin, { ...common, connections, connect: connect(authorities) }),
    createFollower: () =>
      new Agent({ ...common, connections, maxOrigins: FOLLOWED_ORIGINS, connect: connect(withPublic) }),
  }
}

/** PEM text with a certificate in it; TLS itself would take a file without any for no authority at all. */
function readCertificates(path: string): string {
  const text = readFileSync(path, 'utf8')
  if (new X509Certificate(text).raw.length === 0) throw new TypeError('holds no certificate')
  return text
}

function checked<T>(path: string, make: () => T): T {
  try {
    return make()
  } catch (cause) {
    throw new ConfigError([{ path, reason: cause instanceof Error ? cause.message : String(cause) }])
  }
}

function commonOptions({ replyTimeoutMs, idleTimeoutMs }: UpstreamLimits): Pool.Options {
  return {
    allowH2: false,
    pipelining: 1,
    headersTimeout: replyTimeoutMs,
    bodyTimeout: idleTimeoutMs,
    maxHeaderSize: REPLY_HEADER_LIMIT_BYTES,
  }
}
