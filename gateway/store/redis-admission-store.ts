import type { Redis } from 'ioredis'
import type { Clock } from '../lib/clock.ts'
import type { AdmissionAnswer, AdmissionDemand } from './admission-store.ts'
import { admitTrip, readAdmitReply, recallTrip, renewTrip, settleTrip, type Trip } from './admit-trip.ts'
import { Leases } from './leases.ts'
import {
  type AdmissionScripts,
  loadScripts,
  type RedisScript,
  readAdmissionScripts,
  runScript,
} from './redis-script.ts'

/** Not an `AdmissionStore` by itself: it rejects where that one answers `unavailable`; see guarded-admission-store.ts. */
export interface RedisAdmissionStore {
  /** Rejects when Redis does not answer, in time or at all: what that means for the call is decided above. */
  admit(demand: AdmissionDemand): Promise<AdmissionAnswer>
  /** Resolves when Redis takes writes; rejects otherwise (down, slow, loading, read-only, out of memory). */
  probe(): Promise<void>
  /** Drops a connection that does not answer, so that the next one is made to whoever is primary by then. */
  reconnect(): void
  close(): Promise<void>
}

export interface RedisAdmissionOptions {
  /** Owned by the store from now on: `close` ends it. */
  readonly client: Redis
  readonly keyPrefix: string
  readonly clock: Clock
  /** A call has ended but Redis did not learn it: its counters miss it, and its places lapse with their lease. */
  readonly onSettlementLost?: (cause: unknown) => void
  readonly scripts?: AdmissionScripts
}

/** Admission counted by a whole fleet in Redis: one EVALSHA per call, and a second one after the reply that nobody waits for. */
export function createRedisAdmissionStore(options: RedisAdmissionOptions): RedisAdmissionStore {
  const { client, keyPrefix, clock, onSettlementLost = () => {}, scripts = readAdmissionScripts() } = options
  const run = (script: RedisScript, { keys, args }: Trip): Promise<unknown> =>
    runScript(client, script, keys, args)

  loadScripts(client, Object.values(scripts))

  const leases = new Leases(clock, (demand) => run(scripts.renew, renewTrip(keyPrefix, demand)))
  const recall = async (demand: AdmissionDemand): Promise<readonly string[]> => {
    const operations = await run(scripts.recall, recallTrip(keyPrefix, demand))
    if (!Array.isArray(operations)) throw new TypeError('recall.lua did not answer with an array')
    return operations.map(String)
  }

  return {
    async admit(demand) {
      const reply = readAdmitReply(
        demand,
        await run(scripts.admit, admitTrip(keyPrefix, demand, clock.nowMs())),
      )
      if (reply.kind !== 'admitted') return reply
      const lease = leases.hold(demand)
      return {
        ...reply,
        recall: () => recall(demand),
        settle: (feedback) => {
          leases.release(lease)
          run(scripts.settle, settleTrip(keyPrefix, demand, feedback)).catch(onSettlementLost)
        },
      }
    },
    async probe() {
      await client.set(`${keyPrefix}probe`, '', 'PX', 1_000)
    },
    reconnect: () => reconnect(client),
    async close() {
      leases.close()
      // Settlements already written are answered first; a server that does not answer is left after the timeout.
      await client.quit().catch(() => client.disconnect())
    },
  }
}

/**
 * Gives a connection up that does not answer. One that is only being made is left alone: interrupted while it asks a
 * Sentinel, ioredis ends the client for good, and a failover would last until a restart.
 */
function reconnect(client: Redis): void {
  if (client.status === 'ready' || client.status === 'connect') client.disconnect(true)
  // Its error is told to the listener of the client; the next probes find out whether it helped.
  else if (client.status === 'end') client.connect().catch(() => {})
}
