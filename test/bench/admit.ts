/** What admission costs a call, from memory and from a real Redis. `node test/bench/admit.ts`; ends by itself. */
import { randomUUID } from 'node:crypto'
import type { CallId } from '../../gateway/exchange.ts'
import { systemClock } from '../../gateway/lib/clock.ts'
import type { AdmissionStore } from '../../gateway/store/admission-store.ts'
import { createEmbeddedSpendStore } from '../../gateway/store/embedded-spend-store.ts'
import { createRedisSpendStore } from '../../gateway/store/redis-spend-store.ts'
import type { SpendStore } from '../../gateway/store/spend-store.ts'
import { startRedis } from '../harness/redis.ts'
import { countOf, ownProcessorMicroseconds, quantile } from './measure.ts'
import { admitterOf, AGENTS, embeddedStore, redisStore, routedCall } from './parts/admission.ts'

const CALLS = countOf(20_000)
const IN_FLIGHT = 100

/** Four rates, a quota, a place, a DPoP proof and a task per call; CPU is this process alone, without the server's. */
async function measure(name: string, store: AdmissionStore, inFlight: number, operations = 1): Promise<void> {
  const once = admitterOf(store)
  for (let index = 0; index < Math.max(CALLS / 10, AGENTS * operations); index++)
    await once(routedCall(index, operations))
  const calls = Array.from({ length: CALLS }, (_, index) => routedCall(index, operations))
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
      callId: randomUUID() as string as CallId,
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
  const { store, client } = await redisStore(redis.url)
  await measure('redis, one at a time', store, 1)
  await measure('redis, 128 operations an hour', store, 1, 128)
  await measure(`redis, ${IN_FLIGHT} in flight`, store, IN_FLIGHT)
  await measureSpend(
    'redis, an amount reserved',
    createRedisSpendStore({ client, keyPrefix: 'tg:', isUp: () => true }),
  )
  await store.close()
}

await measure('embedded', embeddedStore(), 1)
await measure('embedded, 128 operations an hour', embeddedStore(), 1, 128)
await measureSpend('embedded, an amount reserved', createEmbeddedSpendStore({ clock: systemClock }))
await measureRedis()
