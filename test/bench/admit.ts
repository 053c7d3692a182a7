/** What admission costs a call, from memory and from a real Redis. `node test/bench/admit.ts`; ends by itself. */
import { randomUUID } from 'node:crypto'
import type { Access } from '../../gateway/catalog/connector.ts'
import type { LimitDimension, LimitsConfig } from '../../gateway/config/config.ts'
import type { Routed } from '../../gateway/exchange.ts'
import { systemClock } from '../../gateway/lib/clock.ts'
import { compileDemand } from '../../gateway/limits/demand.ts'
import { createUpstreamBreakers } from '../../gateway/limits/upstream-breakers.ts'
import { createAdmit } from '../../gateway/stages/admit.ts'
import type { AdmissionStore } from '../../gateway/store/admission-store.ts'
import { createEmbeddedAdmissionStore } from '../../gateway/store/embedded-admission-store.ts'
import { createGuardedAdmissionStore } from '../../gateway/store/guarded-admission-store.ts'
import { createRedisAdmissionStore } from '../../gateway/store/redis-admission-store.ts'
import { createEmbeddedSpendStore } from '../../gateway/store/embedded-spend-store.ts'
import { createRedisClient } from '../../gateway/store/redis-client.ts'
import { createRedisSpendStore } from '../../gateway/store/redis-spend-store.ts'
import type { SpendStore } from '../../gateway/store/spend-store.ts'
import { NO_LOCKS } from '../harness/no-locks.ts'
import { startRedis } from '../harness/redis.ts'
import { until } from '../harness/until.ts'
import { syntheticCall } from '../harness/synthetic-call.ts'
import { countOf, ownProcessorMicroseconds, quantile } from './measure.ts'

const CALLS = countOf(20_000)
const AGENTS = 200
const IN_FLIGHT = 100
const PROOF_LIFETIME_MS = 70_000
const EVERYTHING = { connectors: [], operations: [], access: [], agents: [] }

const rate = (name: string, by: readonly LimitDimension[]): LimitsConfig['rates'][number] => ({
  name,
  by,
  match: EVERYTHING,
  calls: 1_000_000,
  windowMs: 60_000,
  burst: 1_000_000,
})

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

const call = syntheticCall({ declared: { task: 'CHG-18422' }, access: 'read' satisfies Access })

/** `operations` different ones, each agent using all of them in turn. */
function routed(index: number, operations: number): Routed {
  const id = `github.operation-${Math.floor(index / AGENTS) % operations}`
  return {
    ...call,
    operation: { ...call.operation, id },
    arrival: { ...call.arrival, callId: randomUUID() as typeof call.arrival.callId },
    caller: {
      ...call.caller,
      agent: { ...call.caller.agent, id: `agent-${index % AGENTS}` },
      replay: { key: `jkt:${index}-${process.hrtime.bigint()}`, expiresAtMs: Date.now() + PROOF_LIFETIME_MS },
    },
  }
}

/** Four rates, a quota, a place, a DPoP proof and a task per call; CPU is this process alone, without the server's. */
async function measure(name: string, store: AdmissionStore, inFlight: number, operations = 1): Promise<void> {
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
  const once = async (demanded: Routed): Promise<void> => {
    const verdict = await admit(demanded)
    if (!verdict.ok) throw new Error(verdict.refusal.code, { cause: verdict.refusal.cause })
    verdict.value.lease.settle({ outcome: 'allowed', attempted: true, upstreamStatus: 200, upstreamMs: 10 })
  }
  for (let index = 0; index < Math.max(CALLS / 10, AGENTS * operations); index++)
    await once(routed(index, operations))
  const calls = Array.from({ length: CALLS }, (_, index) => routed(index, operations))
  const latenciesMs: number[] = []
  const beforeUs = ownProcessorMicroseconds()
  const startedMs = performance.now()
  let next = 0
  const worker = async (): Promise<void> => {
    for (let one = calls[next++]; one !== undefined; one = calls[next++]) {
      const sentMs = performance.now()
      await once(one)
      latenciesMs.push(performance.now() - sentMs)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  const elapsedMs = performance.now() - startedMs
  const cpuUs = ownProcessorMicroseconds() - beforeUs
  const at = (share: number): string => quantile(latenciesMs, share).toFixed(3)
  console.log(
    `${name.padEnd(32)} ${(CALLS / (elapsedMs / 1000)).toFixed(0).padStart(8)} calls/s` +
      `  ${(cpuUs / CALLS).toFixed(1).padStart(6)} µs CPU/call  p50 ${at(0.5)} ms  p99 ${at(0.99)} ms`,
  )
}

/** One reservation and its settlement; what a call with an amount costs beside its admission. */
async function measureSpend(name: string, store: SpendStore): Promise<void> {
  const beforeUs = ownProcessorMicroseconds()
  const latenciesMs: number[] = []
  for (let index = 0; index < CALLS; index++) {
    const sentMs = performance.now()
    const answer = await store.reserve({
      callId: randomUUID() as typeof call.arrival.callId,
      tag: '{zyx}',
      agent: `issuer:agent-${index % AGENTS}`,
      task: 'CHG-18422',
      day: '2026-11-23',
      currency: 'EUR',
      minor: 1_000,
    })
    if (answer.kind !== 'reserved') throw new Error('not reserved', { cause: answer.cause })
    latenciesMs.push(performance.now() - sentMs)
    answer.settle('released')
  }
  const cpuUs = (ownProcessorMicroseconds() - beforeUs) / CALLS
  const p50 = quantile(latenciesMs, 0.5).toFixed(3)
  console.log(`${name.padEnd(47)} ${cpuUs.toFixed(1).padStart(6)} µs CPU/call  p50 ${p50} ms`)
}

async function measureRedis(): Promise<void> {
  await using redis = await startRedis()
  const connection = { password: undefined, sentinels: [], sentinelName: undefined, caFile: undefined }
  const client = createRedisClient({ ...connection, url: redis.url, timeoutMs: 5_000 }, () => {})
  const local = createEmbeddedAdmissionStore({ clock: systemClock, proofLifetimeMs: PROOF_LIFETIME_MS })
  const store = createGuardedAdmissionStore({
    shared: createRedisAdmissionStore({ client, keyPrefix: 'tg:', clock: systemClock }),
    local,
    onFailure: { read: 'closed', write: 'closed' },
    shares: 1,
  })
  await until(() => store.state === 'up')
  await measure('redis, one at a time', store, 1)
  await measure('redis, 128 operations an hour', store, 1, 128)
  await measure(`redis, ${IN_FLIGHT} in flight`, store, IN_FLIGHT)
  await measureSpend(
    'redis, an amount reserved',
    createRedisSpendStore({ client, keyPrefix: 'tg:', isUp: () => true }),
  )
  await store.close()
}

await measure(
  'embedded',
  createEmbeddedAdmissionStore({ clock: systemClock, proofLifetimeMs: PROOF_LIFETIME_MS }),
  1,
)
await measure(
  'embedded, 128 operations an hour',
  createEmbeddedAdmissionStore({ clock: systemClock, proofLifetimeMs: PROOF_LIFETIME_MS }),
  1,
  128,
)
await measureSpend('embedded, an amount reserved', createEmbeddedSpendStore({ clock: systemClock }))
await measureRedis()
