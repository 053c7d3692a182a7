import type { Redis } from 'ioredis'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { AdmissionAnswer, AdmissionDemand } from '../../../gateway/store/admission-store.ts'
import { createEmbeddedAdmissionStore } from '../../../gateway/store/embedded-admission-store.ts'
import {
  createRedisAdmissionStore,
  type RedisAdmissionStore,
} from '../../../gateway/store/redis-admission-store.ts'
import { type RunningRedis, startRedis } from '../../harness/redis.ts'
import { virtualClock, type VirtualClock } from '../../harness/virtual-clock.ts'
import { setVirtualTime, virtualTimeScripts } from '../../harness/virtual-redis.ts'
import { admissionDemand, DENIED, ERRORED, places, quota, rate, SUCCEEDED } from './admission-demand.ts'

const RATES = [rate('slow', 7, 3, 3_600_000), rate('fast', 600, 20, 3_600_000)]
const QUOTAS = [quota('daily', 25)]
/** Places lapse on one side only, so here they never do. */
const PLACES = [places('held', 4, 1e12)]

interface Step {
  readonly gapMs: number
  readonly agent: string
  readonly task: string
  readonly operation: string
  readonly write: boolean
  readonly proof: number
  readonly limited: number
  readonly end: 'succeeded' | 'denied' | 'errored' | 'held'
}

const step: fc.Arbitrary<Step> = fc.record({
  gapMs: fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 4, arbitrary: fc.nat(200_000) },
    { weight: 2, arbitrary: fc.nat(2_000_000) },
    { weight: 1, arbitrary: fc.nat(100_000_000) },
  ),
  agent: fc.constantFrom('issuer:one', 'issuer:two'),
  task: fc.constantFrom('', 'CHG-1', 'CHG-2'),
  operation: fc.constantFrom('github.a', 'github.b', 'jira.c'),
  write: fc.boolean(),
  proof: fc.nat(2_000),
  limited: fc.constantFrom(0, 0, 0, 1, 2, 4, 7),
  end: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom('succeeded' as const, 'denied' as const, 'errored' as const) },
    { weight: 1, arbitrary: fc.constant('held' as const) },
  ),
})

function demandOf(step: Step, nowMs: number): AdmissionDemand {
  return admissionDemand({
    agent: step.agent,
    task: step.task,
    operation: step.operation,
    access: step.write ? 'write' : 'read',
    // Proofs end in real time on one side and in virtual time on the other, so none may end here.
    replay: { key: `jkt:${step.proof}`, expiresAtMs: nowMs + 1e12 },
    rates: RATES.filter((_, index) => (step.limited >> index) & 1),
    quotas: step.limited & 4 ? QUOTAS : [],
    concurrency: PLACES,
    agentBreaker: { failures: 4, windowMs: 600_000, openMs: 1_800_000 },
  })
}

function plain(answer: AdmissionAnswer): unknown {
  if (answer.kind !== 'admitted') return answer
  const operationsTask = [...answer.history.operationsTask].sort()
  const operations1h = [...answer.history.operations1h].sort()
  return {
    kind: 'admitted',
    limits: answer.limits,
    history: { ...answer.history, operationsTask, operations1h },
  }
}

interface Pair {
  readonly redis: RunningRedis
  readonly client: Redis
  readonly shared: RedisAdmissionStore
  readonly clock: VirtualClock
}

async function compare({ redis, client, shared, clock }: Pair, steps: readonly Step[]): Promise<void> {
  await redis.admin.flushall()
  const embedded = createEmbeddedAdmissionStore({ clock, proofLifetimeMs: 70_000 })
  const feedbacks = { succeeded: SUCCEEDED, denied: DENIED, errored: ERRORED }
  for (const step of steps) {
    clock.advance(step.gapMs)
    await setVirtualTime(redis.admin, clock.nowMs())
    const demand = demandOf(step, clock.nowMs())
    const one = embedded.admit(demand)
    const other = await shared.admit(demand)
    expect(plain(other)).toEqual(plain(one))
    if (one.kind !== 'admitted' || other.kind !== 'admitted' || step.end === 'held') continue
    one.settle(feedbacks[step.end])
    other.settle(feedbacks[step.end])
    await client.ping()
  }
}

it('the scripts answer every sequence of calls as the embedded store does', async () => {
  await using redis = await startRedis()
  const clock = virtualClock()
  const client = redis.admin.duplicate()
  const shared = createRedisAdmissionStore({ client, keyPrefix: 'tg:', clock, scripts: virtualTimeScripts() })
  const pair: Pair = { redis, client, shared, clock }
  const sequences = fc.array(step, { minLength: 1, maxLength: 100, size: 'max' })
  try {
    const alike = fc.asyncProperty(sequences, (steps) => compare(pair, steps))
    await expect(fc.assert(alike, { numRuns: 50 })).resolves.toBeUndefined()
  } finally {
    await shared.close()
  }
}, 60_000)
