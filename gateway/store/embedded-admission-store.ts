import type { LimitState } from '../exchange.ts'
import { gcra, gcraRemaining, type RateLimit } from '../limits/gcra.ts'
import type { Clock } from '../lib/clock.ts'
import {
  type AdmissionAnswer,
  type AdmissionDemand,
  type AdmissionStore,
  CONCURRENCY_RETRY_MS,
  DAY_MS,
  type Demanded,
  type LimitKind,
  UNAVAILABLE_RETRY_MS,
} from './admission-store.ts'
import { beginCall, createAgentMemory, endCall } from './agent-memory.ts'
import { ExpiringMap } from './expiring-map.ts'
import { createReplayMemory, type ReplayMemory } from './replay-memory.ts'

export interface EmbeddedAdmissionStore extends AdmissionStore {
  admit(demand: AdmissionDemand): AdmissionAnswer
  readonly replays: ReplayMemory
}

export interface EmbeddedAdmissionOptions {
  readonly clock: Clock
  /** `maxAgeMs + maxSkewMs` of the DPoP check. */
  readonly proofLifetimeMs: number
  /** `share` when it stands in for a store that other gateways count in, too. */
  readonly count?: 'whole' | 'share'
  readonly capacity?: { readonly replays: number; readonly counters: number; readonly agents: number }
}

/** About 150 MB when all of it is in use; a call leaves at most one replay mark, for about a minute. */
const CAPACITY = { replays: 1_000_000, counters: 200_000, agents: 50_000 }

interface Quota {
  spent: number
  readonly endsAtMs: number
}

interface Denial {
  by: LimitKind
  name: string
  waitMs: number
}

/** Admission of one node in its own memory, synchronous, with nothing kept across a restart. */
export function createEmbeddedAdmissionStore(options: EmbeddedAdmissionOptions): EmbeddedAdmissionStore {
  const { clock, proofLifetimeMs, count = 'whole', capacity = CAPACITY } = options
  const replays = createReplayMemory({ clock, proofLifetimeMs, capacity: capacity.replays })
  const agents = createAgentMemory(capacity.agents)
  const tats = new ExpiringMap<number>(capacity.counters, (tatUs) => tatUs)
  const quotas = new ExpiringMap<Quota>(capacity.counters, ({ endsAtMs }) => endsAtMs)
  // Places need no end here: they are lost with the process, and with it every call that held one.
  const places = new Map<string, number>()

  const admit = (demand: AdmissionDemand): AdmissionAnswer => {
    if (demand.replay !== undefined) {
      const finding = replays.check(demand.replay)
      if (finding === 'full') return unavailable('the replay memory is full')
      if (finding !== 'new') return { kind: 'replayed' }
    }
    const nowMs = clock.nowMs()
    const nowUs = Math.floor(nowMs * 1000)
    const agent = agents.of(demand.tag, demand.agent)
    if (agent.openUntilUs > nowUs) {
      return { kind: 'agent-stopped', retryAfterMs: Math.ceil((agent.openUntilUs - nowUs) / 1000) }
    }
    if (!hasRoom(demand, nowMs, nowUs)) return unavailable('the counters are full')
    const denial = check(demand, nowMs, nowUs)
    const limits = [
      ...countRates(demand, denial === undefined, nowUs),
      ...countQuotas(demand, denial === undefined, nowMs),
    ]
    if (denial !== undefined) {
      return { kind: 'limited', by: denial.by, name: denial.name, retryAfterMs: denial.waitMs, limits }
    }
    for (const { key } of demand.concurrency) places.set(key, (places.get(key) ?? 0) + 1)
    return {
      kind: 'admitted',
      history: beginCall(agent, demand, nowUs),
      limits,
      settle: (feedback) => {
        for (const { key } of demand.concurrency) leavePlace(key)
        endCall(agent, demand, feedback, Math.floor(clock.nowMs() * 1000))
      },
    }
  }

  const hasRoom = (demand: AdmissionDemand, nowMs: number, nowUs: number): boolean =>
    demand.rates.every(({ key }) => tats.hasRoom(key, nowUs)) &&
    demand.quotas.every(({ key }) => quotas.hasRoom(key, nowMs))

  /** The denial with the longest wait: whoever waits that long is not refused by another limit meanwhile. */
  const check = (demand: AdmissionDemand, nowMs: number, nowUs: number): Denial | undefined => {
    let denial: Denial | undefined
    const deny = (by: LimitKind, name: string, waitMs: number): void => {
      if (waitMs > (denial?.waitMs ?? 0)) denial = { by, name, waitMs }
    }
    for (const rate of demand.rates) {
      const limit = rate[count]
      deny('rate', limit.name, Math.ceil(gcra(limit, tats.get(rate.key, nowUs) ?? 0, nowUs).waitUs / 1000))
    }
    for (const quota of demand.quotas) {
      const limit = quota[count]
      if (spentToday(quota.key, nowMs) >= limit.calls) deny('quota', limit.name, untilTomorrow(nowMs))
    }
    for (const place of demand.concurrency) {
      const limit = place[count]
      if ((places.get(place.key) ?? 0) >= limit.calls) deny('concurrency', limit.name, CONCURRENCY_RETRY_MS)
    }
    return denial
  }

  const countRates = (demand: AdmissionDemand, admitted: boolean, nowUs: number): LimitState[] =>
    demand.rates.map((rate: Demanded<RateLimit>) => {
      const limit = rate[count]
      const { tatUs } = gcra(limit, tats.get(rate.key, nowUs) ?? 0, nowUs)
      const nextUs = admitted ? tatUs + limit.intervalUs : tatUs
      if (admitted) tats.set(rate.key, nextUs, nowUs)
      return {
        name: limit.name,
        quota: limit.calls,
        windowMs: limit.windowMs,
        remaining: gcraRemaining(limit, nextUs, nowUs),
        resetMs: Math.ceil((nextUs - nowUs) / 1000),
      }
    })

  const countQuotas = (demand: AdmissionDemand, admitted: boolean, nowMs: number): LimitState[] =>
    demand.quotas.map((quota) => {
      const limit = quota[count]
      const resetMs = untilTomorrow(nowMs)
      const spent = spentToday(quota.key, nowMs) + (admitted ? 1 : 0)
      if (admitted) quotas.set(quota.key, { spent, endsAtMs: nowMs + resetMs }, nowMs)
      const remaining = Math.max(0, limit.calls - spent)
      return { name: limit.name, quota: limit.calls, windowMs: DAY_MS, remaining, resetMs }
    })

  const spentToday = (key: string, nowMs: number): number => quotas.get(key, nowMs)?.spent ?? 0

  const leavePlace = (key: string): void => {
    const left = (places.get(key) ?? 1) - 1
    if (left > 0) places.set(key, left)
    else places.delete(key)
  }

  return { admit, replays, close: () => Promise.resolve() }
}

function untilTomorrow(nowMs: number): number {
  return DAY_MS - (nowMs % DAY_MS)
}

function unavailable(reason: string): AdmissionAnswer {
  return { kind: 'unavailable', retryAfterMs: UNAVAILABLE_RETRY_MS, cause: new Error(reason) }
}
