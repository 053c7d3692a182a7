import type { Caller } from '../caller.ts'
import { createBoundedMap } from '../identity/bounded-map.ts'
import { addEvent, bucketUs, countEvents, type SlidingCount, slidingCount } from './sliding-count.ts'

/** As in `breakers.policy` of toolgate.yaml. */
export interface PolicyBreakerSettings {
  /** So many evaluations in the window that threw, or exceeded their budget, open it. */
  readonly failures: number
  readonly windowMs: number
  readonly openMs: number
}

/** An agent, as far as it is proven. */
export interface ProvenAgent {
  readonly tenant: string
  readonly issuer: string
  readonly id: string
}

export function provenAgentOf({ caller: { tenant, agent } }: { readonly caller: Caller }): ProvenAgent {
  return { tenant, issuer: agent.issuer, id: agent.id }
}

/** Agents remembered: those that have made policy fail, and no others. */
const MOST_AGENTS = 4_096

interface Failing {
  readonly failures: SlidingCount
  openUntilMs: number
}

/**
 * Stops an agent that keeps making policy fail, before it is evaluated for it again: every throw costs an instance, and
 * an evaluation above its budget holds up everybody. Of this process alone, as the instances are. Times are milliseconds of a
 * monotonic clock.
 */
export class PolicyBreaker {
  readonly #settings: PolicyBreakerSettings
  readonly #onOpen: (agent: ProvenAgent) => void
  readonly #widthUs: number
  readonly #agents = createBoundedMap<string, Failing>(MOST_AGENTS)

  constructor(settings: PolicyBreakerSettings, onOpen: (agent: ProvenAgent) => void) {
    this.#settings = settings
    this.#onOpen = onOpen
    this.#widthUs = bucketUs(settings.windowMs)
  }

  /** How long the agent is still stopped; 0 when it is not. */
  retryAfterMs(agent: ProvenAgent, nowMs: number): number {
    // Nobody makes policy fail, as a rule: a name need not even be made then.
    if (this.#agents.size() === 0) return 0
    const openUntilMs = this.#agents.get(keyOf(agent))?.openUntilMs ?? 0
    return Math.max(0, Math.ceil(openUntilMs - nowMs))
  }

  /** One evaluation for the agent failed. */
  failed(agent: ProvenAgent, nowMs: number): void {
    const key = keyOf(agent)
    const failing = this.#agents.get(key) ?? { failures: slidingCount(), openUntilMs: 0 }
    this.#agents.set(key, failing)
    addEvent(failing.failures, this.#widthUs, nowMs * 1000)
    if (nowMs < failing.openUntilMs) return
    if (countEvents(failing.failures, this.#widthUs, nowMs * 1000) < this.#settings.failures) return
    failing.openUntilMs = nowMs + this.#settings.openMs
    this.#onOpen(agent)
  }
}

/** No two agents share it, whatever is in their names. */
function keyOf({ tenant, issuer, id }: ProvenAgent): string {
  return JSON.stringify([tenant, issuer, id])
}
