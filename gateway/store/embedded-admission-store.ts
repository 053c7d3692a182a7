import type { Clock } from '../lib/clock.ts'
import {
  type AdmissionAnswer,
  type AdmissionDemand,
  type AdmissionStore,
  TOO_MANY_PROOFS,
  UNAVAILABLE_RETRY_MS,
} from './admission-store.ts'
import { beginCall, createAgentMemory, endCall } from './agent-memory.ts'
import { LimitCounters } from './limit-counters.ts'
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

/** Admission of one node in its own memory, synchronous, with nothing kept across a restart. */
export function createEmbeddedAdmissionStore(options: EmbeddedAdmissionOptions): EmbeddedAdmissionStore {
  const { clock, proofLifetimeMs, count = 'whole', capacity = CAPACITY } = options
  const replays = createReplayMemory({ clock, proofLifetimeMs, capacity: capacity.replays })
  const agents = createAgentMemory(capacity.agents)
  const counters = new LimitCounters(count, capacity.counters)

  const admit = (demand: AdmissionDemand): AdmissionAnswer => {
    if (demand.replay !== undefined) {
      const finding = replays.check(demand.replay)
      if (finding === 'full') return unavailable('the replay memory is full')
      if (finding === 'crowded') return TOO_MANY_PROOFS
      if (finding !== 'new') return { kind: 'replayed' }
    }
    const nowMs = clock.nowMs()
    const nowUs = Math.floor(nowMs * 1000)
    const agent = agents.of(demand.tag, demand.agent)
    if (agent.openUntilUs > nowUs) {
      return { kind: 'agent-stopped', retryAfterMs: Math.ceil((agent.openUntilUs - nowUs) / 1000) }
    }
    if (!counters.hasRoom(demand, nowMs)) return unavailable('the counters are full')
    const standing = counters.stand(demand, nowMs)
    const denial = counters.denial(demand, standing, nowMs)
    if (denial !== undefined) {
      const { by, name, waitMs } = denial
      return {
        kind: 'limited',
        by,
        name,
        retryAfterMs: waitMs,
        limits: counters.look(demand, standing, nowMs),
      }
    }
    return {
      kind: 'admitted',
      history: beginCall(agent, demand, nowUs),
      limits: counters.count(demand, standing, nowMs),
      recall: () => agent.recent.recall(demand.operation, Math.floor(clock.nowMs() * 1000)),
      settle: (feedback) => {
        counters.leave(demand)
        endCall(agent, demand, feedback, Math.floor(clock.nowMs() * 1000))
      },
    }
  }

  return { admit, replays, close: () => Promise.resolve() }
}

function unavailable(reason: string): AdmissionAnswer {
  return { kind: 'unavailable', retryAfterMs: UNAVAILABLE_RETRY_MS, cause: new Error(reason) }
}
