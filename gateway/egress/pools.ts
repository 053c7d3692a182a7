import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import { Agent, Pool } from 'undici'
import { createAddressGuard } from './address-guard.ts'
import { createGuardedConnector } from './guarded-connector.ts'
import type { Lookup } from './guarded-connector.ts'

/** How one upstream is connected to; the part of a connector's configuration that concerns sockets. */
export interface UpstreamLimits {
  /** CIDR ranges beyond public addresses that the upstream may resolve to. */
  readonly allowAddresses: readonly string[]
  /** PEM file of the only authorities trusted for this upstream; the well-known ones when absent. */
  readonly caFile: string | undefined
  readonly connections: number
  readonly connectTimeoutMs: number
  readonly replyTimeoutMs: number
  readonly idleTimeoutMs: number
}

/** Vendors send long policies and cookies in headers; more than this is an attack or a fault. */
const REPLY_HEADER_LIMIT_BYTES = 64 * 1024
const FOLLOWED_ORIGINS = 64

/**
 * Connections to one pinned origin. Pipelining stays at 1: a reply that breaks framing can then only harm its own
 * request. Reads the CA file at once and throws where it cannot.
 */
export function createPool(origin: string, limits: UpstreamLimits, lookup: Lookup | undefined): Pool {
  return new Pool(origin, {
    ...commonOptions(limits),
    connections: limits.connections,
    connect: createGuardedConnector({
      guard: createAddressGuard(limits.allowAddresses),
      connectTimeoutMs: limits.connectTimeoutMs,
      ca: readAuthorities(limits),
      lookup,
    }),
  })
}

/** Connections for followed redirects, made per origin as needed and closed when idle. */
export function createFollower(limits: UpstreamLimits, lookup: Lookup | undefined): Agent {
  const authorities = readAuthorities(limits)
  return new Agent({
    ...commonOptions(limits),
    connections: limits.connections,
    maxOrigins: FOLLOWED_ORIGINS,
    connect: createGuardedConnector({
      guard: createAddressGuard(limits.allowAddresses),
      connectTimeoutMs: limits.connectTimeoutMs,
      // Storage behind a redirect is often public where the upstream itself is private.
      ca: authorities === undefined ? undefined : [...rootCertificates, authorities],
      lookup,
    }),
  })
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

function readAuthorities({ caFile }: UpstreamLimits): string | undefined {
  return caFile === undefined ? undefined : readFileSync(caFile, 'utf8')
}
