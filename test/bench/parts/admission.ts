import { randomUUID } from 'node:crypto'
import type { LimitDimension, LimitsConfig } from '../../../gateway/config/config.ts'
import type { Routed } from '../../../gateway/exchange.ts'
import { systemClock } from '../../../gateway/lib/clock.ts'
import { compileDemand } from '../../../gateway/limits/demand.ts'
import { createUpstreamBreakers } from '../../../gateway/limits/upstream-breakers.ts'
import { createAdmit } from '../../../gateway/stages/admit.ts'
import type { AdmissionStore } from '../../../gateway/store/admission-store.ts'
import { createGuardedAdmissionStore } from '../../../gateway/store/guarded-admission-store.ts'
import { createEmbeddedAdmissionStore } from '../../../gateway/store/embedded-admission-store.ts'
import { createRedisAdmissionStore } from '../../../gateway/store/redis-admission-store.ts'
import { createRedisClient } from '../../../gateway/store/redis-client.ts'
import { NO_LOCKS } from '../../harness/no-locks.ts'
import { syntheticCall } from '../../harness/synthetic-call.ts'
import { until } from '../../harness/until.ts'

/** Admission as the benches have it: four rates, a quota, a place, a DPoP proof and a task for each call. */
export const AGENTS = 200
export const PROOF_LIFETIME_MS = 70_000
const EVERYTHING = { connectors: [], operations: [], access: [], agents: [] }

const rate = (name: string, by: readonly LimitDimension[]): LimitsConfig['rates'][number] => ({
  name,
  by,
  match: EVERYTHING,
  calls: 1_000_000,
  windowMs: 60_000,
  burst: 1_000_000,
})

/** That never say no, so that counting is what is measured. */
const limits: LimitsConfig = {
  rates: [
    rate('tenant', ['tenant']),
    rate('agent', ['tenant', 'agent']),
    rate('principal', ['tenant', 'principal']),
    rate('operation', ['tenant', 'agent', 'operation']),
  ],
  quotas: [{ name: 'daily', by: ['tenant', 'agent'], match: EVERYTHING, calls: 1_000_000_000, per: 'day' }],
  concurrency: [{ name: 'held', by: ['tenant', 'agent'], match: EVERYTHING, calls: 1_000, leaseMs: 60_000 }],
}

const call = syntheticCall({ declared: { task: 'CHG-18422' }, access: 'read' })

/** `operations` different ones, each agent using all of them in turn. */
export function routedCall(index: number, operations: number): Routed {
  const id = `github.operation-${Math.floor(index / AGENTS) % operations}`
  return {
    ...call,
    operation: { ...call.operation, id },
    arrival: { ...call.arrival, callId: randomUUID() as typeof call.arrival.callId },
    caller: {
      ...call.caller,
      agent: { ...call.caller.agent, id: `agent-${index % AGENTS}` },
      replay: {
        key: `jkt-${index % AGENTS}:${index}-${process.hrtime.bigint()}`,
        expiresAtMs: Date.now() + PROOF_LIFETIME_MS,
      },
    },
  }
}

/** Admits a call and gives its place back, as one that was let through and answered. */
export function admitterOf(store: AdmissionStore): (demanded: Routed) => Promise<void> {
  const admit = createAdmit({
    locks: NO_LOCKS,
    store,
    demand: compileDemand({
      limits,
      agentBreaker: { failures: 100, windowMs: 60_000, openMs: 60_000 },
      shares: 1,
    }),
    upstreams: createUpstreamBreakers({
      settings: { failures: 5, windowMs: 10_000, openMs: 10_000, halfOpenCalls: 1 },
      clock: systemClock,
    }),
    dataClasses: () => [],
    replayChallenge: () => [],
  })
  return async (demanded) => {
    const verdict = await admit(demanded)
    if (!verdict.ok) throw new Error(verdict.refusal.code, { cause: verdict.refusal.cause })
    verdict.value.lease.settle({
      outcome: 'allowed',
      attempted: true,
      upstreamStatus: 200,
      upstreamMs: 10,
    })
  }
}

export function embeddedStore(): AdmissionStore {
  return createEmbeddedAdmissionStore({ clock: systemClock, proofLifetimeMs: PROOF_LIFETIME_MS })
}

/** The store of a fleet, once it is up, with the client that it speaks through. */
export async function redisStore(
  url: string,
): Promise<{ readonly store: AdmissionStore; readonly client: ReturnType<typeof createRedisClient> }> {
  const connection = { password: undefined, sentinels: [], sentinelName: undefined, caFile: undefined }
  const client = createRedisClient({ ...connection, url, timeoutMs: 5_000 }, () => {})
  const store = createGuardedAdmissionStore({
    shared: createRedisAdmissionStore({ client, keyPrefix: 'tg:', clock: systemClock }),
    local: createEmbeddedAdmissionStore({ clock: systemClock, proofLifetimeMs: PROOF_LIFETIME_MS }),
    onFailure: { read: 'closed', write: 'closed' },
    shares: 1,
  })
  await until(() => store.state === 'up')
  return { store, client }
}
