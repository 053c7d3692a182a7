import type { Agent, Pool } from 'undici'
import type { Connector } from '../catalog/connector.ts'
import type { UpstreamReply, UpstreamRequest } from './upstream.ts'
import type { Clock } from '../lib/clock.ts'
import { refuse } from '../refusal.ts'
import type { Verdict } from '../refusal.ts'
import { createTransport } from './pools.ts'
import type { UpstreamLimits } from './pools.ts'
import { forwardCall } from './forward-call.ts'
import type { Lookup } from './guarded-connector.ts'

const DEFAULT_REDIRECT_LIMIT_BYTES = 256 * 1024 * 1024

/** What happens on the way to an upstream beside the calls themselves; each feeds a counter or a log line. */
export interface EgressEvents {
  /** A read was sent a second time, because its connection closed before any byte of an answer. */
  repeated(connector: string): void
  redirectFollowed(connector: string, host: string): void
}

export interface EgressConnector extends UpstreamLimits {
  readonly name: string
}

export interface EgressOptions {
  readonly connectors: readonly EgressConnector[]
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly events: EgressEvents
  /** Largest body taken from a followed redirect, in bytes; 256 MiB by default. */
  readonly redirectLimitBytes?: number
  /** Ports that a followed redirect may name; 443 by default. */
  readonly redirectPorts?: readonly number[]
  /** Name resolution; the system's by default. */
  readonly lookup?: Lookup
}

export interface EgressCall {
  readonly connector: Connector
  readonly request: UpstreamRequest
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal
  /** The operation only reads: its request may be sent once more when the connection closes unanswered. */
  readonly repeatable: boolean
}

interface PoolState {
  readonly connector: string
  readonly origin: string
  readonly connected: number
  readonly free: number
  readonly running: number
  /** Calls waiting for a connection. */
  readonly queued: number
}

export interface Egress extends AsyncDisposable {
  /**
   * Sends a request and answers with the reply's header section; its body follows. Never rejects for what an
   * upstream does. What was given up because `signal` aborted is refused as `upstream.timeout`.
   */
  forward(call: EgressCall): Promise<Verdict<UpstreamReply>>
  /** State of every pool, for gauges. */
  pools(): readonly PoolState[]
}

/** The connections of one connector, by pinned origin; a connector has more than one where operations name theirs. */
export interface Upstream {
  readonly limits: UpstreamLimits
  poolOf(origin: string): Pool
  readonly follower: () => Agent
}

/**
 * The only way out: connections to upstreams, guarded, pinned and bounded. Disposal lets calls in flight finish.
 * Throws a `ConfigError` where a CA file cannot be read or an allowed address range is none.
 */
export function createEgress(options: EgressOptions): Egress {
  const upstreams = new Map(
    options.connectors.map((connector) => [
      connector.name,
      createUpstream(connector.name, connector, options.lookup),
    ]),
  )
  const rules = {
    clock: options.clock,
    events: options.events,
    redirectLimitBytes: options.redirectLimitBytes ?? DEFAULT_REDIRECT_LIMIT_BYTES,
    redirectPorts: new Set((options.redirectPorts ?? [443]).map(String)),
  }
  return {
    forward: (call) => {
      const upstream = upstreams.get(call.connector.name)
      if (upstream === undefined) {
        const detail = `no upstream is configured for ${call.connector.name}`
        return Promise.resolve(refuse('gateway.fault', { detail }))
      }
      return forwardCall(upstream, call, rules)
    },
    pools: () => [...upstreams.values()].flatMap((upstream) => upstream.states()),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...upstreams.values()].map((upstream) => upstream.close()))
    },
  }
}

function createUpstream(
  name: string,
  limits: UpstreamLimits,
  lookup: Lookup | undefined,
): Upstream & { states(): PoolState[]; close(): Promise<void> } {
  const transport = createTransport(`connectors.${name}`, limits, lookup)
  const pools = new Map<string, Pool>()
  let follower: Agent | undefined
  return {
    limits,
    poolOf: (origin) => {
      let pool = pools.get(origin)
      if (pool === undefined) {
        pool = transport.createPool(origin)
        pools.set(origin, pool)
      }
      return pool
    },
    follower: () => (follower ??= transport.createFollower()),
    states: () =>
      [...pools].map(([origin, { stats }]) => ({
        connector: name,
        origin,
        connected: stats.connected,
        free: stats.free,
        running: stats.running,
        queued: stats.pending,
      })),
    close: async () => {
      await Promise.all(
        [...pools.values(), ...(follower === undefined ? [] : [follower])].map((p) => p.close()),
      )
    },
  }
}
