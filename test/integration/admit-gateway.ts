import { randomUUID } from 'node:crypto'
import type { Access } from '../../gateway/catalog/connector.ts'
import type { LimitMatch, LimitsConfig } from '../../gateway/config/config.ts'
import type { FailureMode } from '../../gateway/config/store-config.ts'
import type { ReplayCheck } from '../../gateway/caller.ts'
import type { Admitted, Routed } from '../../gateway/exchange.ts'
import { systemClock } from '../../gateway/lib/clock.ts'
import { compileDemand } from '../../gateway/limits/demand.ts'
import { createUpstreamBreakers } from '../../gateway/limits/upstream-breakers.ts'
import type { Verdict } from '../../gateway/refusal.ts'
import { createAdmit } from '../../gateway/stages/admit.ts'
import { createEmbeddedAdmissionStore } from '../../gateway/store/embedded-admission-store.ts'
import {
  createGuardedAdmissionStore,
  type GuardedAdmissionStore,
  type StoreEvents,
} from '../../gateway/store/guarded-admission-store.ts'
import { createRedisAdmissionStore } from '../../gateway/store/redis-admission-store.ts'
import { createRedisClient, type RedisClientOptions } from '../../gateway/store/redis-client.ts'
import { NO_LOCKS } from '../harness/no-locks.ts'
import { until } from '../harness/until.ts'
import { syntheticCall } from '../harness/synthetic-call.ts'

const PROOF_LIFETIME_MS = 70_000
export const EVERYTHING: LimitMatch = { connectors: [], operations: [], access: [], agents: [] }
export const NO_LIMITS: LimitsConfig = { rates: [], quotas: [], concurrency: [] }

export interface GatewayOptions {
  readonly redis: Partial<RedisClientOptions> & { readonly url: string }
  readonly limits?: LimitsConfig
  readonly onFailure?: { readonly read: FailureMode; readonly write: FailureMode }
  readonly shares?: number
  readonly events?: StoreEvents
  readonly agentBreaker?: { readonly failures: number; readonly windowMs: number; readonly openMs: number }
}

export interface CallOptions {
  readonly tenant?: string
  readonly agent?: string
  readonly task?: string
  readonly access?: Access
  readonly replay?: ReplayCheck
}

/** The admission of one gateway, with everything real but the call itself. */
export interface AdmissionGateway extends AsyncDisposable {
  readonly store: GuardedAdmissionStore
  admit(call?: CallOptions): Promise<Verdict<Admitted>>
  /** Ends without settling, returning or saying anything, as a killed process does. */
  crash(): void
}

export async function startAdmission(options: GatewayOptions): Promise<AdmissionGateway> {
  const { limits = NO_LIMITS, shares = 1, onFailure = { read: 'local', write: 'closed' } } = options
  const agentBreaker = options.agentBreaker ?? { failures: 1_000, windowMs: 60_000, openMs: 60_000 }
  const client = createRedisClient(
    {
      password: undefined,
      sentinels: [],
      sentinelName: undefined,
      timeoutMs: 250,
      caFile: undefined,
      ...options.redis,
    },
    () => {},
  )
  const clock = systemClock
  const store = createGuardedAdmissionStore({
    shared: createRedisAdmissionStore({ client, keyPrefix: 'tg:', clock }),
    local: createEmbeddedAdmissionStore({ clock, proofLifetimeMs: PROOF_LIFETIME_MS, count: 'share' }),
    onFailure,
    shares,
    events: options.events ?? {},
  })
  const admit = createAdmit({
    locks: NO_LOCKS,
    store,
    demand: compileDemand({ limits, agentBreaker, shares }),
    upstreams: createUpstreamBreakers({
      settings: { failures: 3, windowMs: 10_000, openMs: 60_000, halfOpenCalls: 1 },
      clock,
    }),
    dataClasses: () => [],
    replayChallenge: () => ['WWW-Authenticate', 'DPoP error="invalid_dpop_proof"'],
  })
  await until(() => store.state === 'up')
  return {
    store,
    admit: async (call = {}) => admit(routedCall(call)),
    crash: () => client.disconnect(),
    [Symbol.asyncDispose]: () => store.close(),
  }
}

export function freshProof(): ReplayCheck {
  return { key: `jkt:${randomUUID()}`, expiresAtMs: Date.now() + PROOF_LIFETIME_MS }
}

export function routedCall({ tenant, agent, task = '', access = 'read', replay }: CallOptions): Routed {
  const call = syntheticCall({ access, declared: { task } })
  return {
    ...call,
    caller: {
      ...call.caller,
      tenant: tenant ?? call.caller.tenant,
      agent: { ...call.caller.agent, id: agent ?? call.caller.agent.id },
      replay,
    },
  }
}

/** What the caller would see: `admitted`, or the code of the refusal. */
export function codeOf(verdict: Verdict<Admitted>): string {
  return verdict.ok ? 'admitted' : verdict.refusal.code
}

/** The lease of an admission; a refusal fails the test. */
export function leaseOf(verdict: Verdict<Admitted>): Admitted['lease'] {
  if (!verdict.ok) throw new Error(`refused: ${verdict.refusal.code}`)
  return verdict.value.lease
}
