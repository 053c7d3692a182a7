import type { Access } from '../catalog/connector.ts'
import type { ReplayCheck } from '../caller.ts'
import type { CallId, History, LimitState } from '../exchange.ts'
import type { Feedback } from '../limits/feedback.ts'
import type { RateLimit } from '../limits/gcra.ts'

/** Calls per UTC day. */
export interface QuotaLimit {
  readonly name: string
  readonly calls: number
}

export interface ConcurrencyLimit {
  readonly name: string
  readonly calls: number
  /** How long a call that nobody settles (its gateway died) keeps its place. */
  readonly leaseMs: number
}

/** One limit that a call has to pass, and the counter that it is counted in. */
export interface Demanded<Limit> {
  /** `{tenant}:…`; safe to use as it is, because every part went through `keyPart`. */
  readonly key: string
  readonly whole: Limit
  /** What this process may spend alone while the shared store is away: `whole / shares`, at least one call. */
  readonly share: Limit
}

/** `breakers.agent` of toolgate.yaml. */
export interface AgentBreakerSettings {
  readonly failures: number
  readonly windowMs: number
  readonly openMs: number
}

/** Everything the store has to know about one call; it knows no configuration of its own. */
export interface AdmissionDemand {
  readonly callId: CallId
  readonly access: Access
  /** Hash tag `{tenant}`, encoded. */
  readonly tag: string
  /** Issuer and agent id, encoded: nothing is ever counted for a name that was not proven. */
  readonly agent: string
  /** Encoded name of the task, always kept below the agent because the client chose it; empty for none. */
  readonly task: string
  readonly operation: string
  readonly replay: ReplayCheck | undefined
  readonly rates: readonly Demanded<RateLimit>[]
  readonly quotas: readonly Demanded<QuotaLimit>[]
  readonly concurrency: readonly Demanded<ConcurrencyLimit>[]
  readonly agentBreaker: AgentBreakerSettings
}

export type AdmissionAnswer =
  | {
      readonly kind: 'admitted'
      /** As it was before this call, calls in flight included. */
      readonly history: History
      readonly limits: readonly LimitState[]
      /**
       * The operations of the agent's last hour as they are by now, this call aside. Rejects when the store does not answer.
       */
      readonly recall: () => readonly string[] | Promise<readonly string[]>
      /** Gives the places back and feeds the counters. Call it once; never throws, never waits. */
      readonly settle: (feedback: Feedback) => void
    }
  | { readonly kind: 'replayed' }
  | { readonly kind: 'agent-stopped'; readonly retryAfterMs: number }
  | {
      readonly kind: 'limited'
      readonly by: LimitKind
      readonly name: string
      readonly retryAfterMs: number
      readonly limits: readonly LimitState[]
    }
  | { readonly kind: 'unavailable'; readonly retryAfterMs: number; readonly cause: unknown }

export type LimitKind = 'rate' | 'quota' | 'concurrency'

/**
 * Admission of calls against shared counters. Both adapters keep this order, for the reasons in adr/0003:
 *
 * 1. The proof's replay mark is written, whatever follows: it was seen. A proof seen before ends here, without
 *    counting anything, so that a thief with a used proof can neither spend the limits of its owner nor read them.
 * 2. A stopped agent ends here, without learning how its tenant's limits stand.
 * 3. All rates, quotas and concurrency limits are checked, and the call is counted in all of them or in none.
 * 4. History is read, then the call is added to it.
 */
export interface AdmissionStore {
  /** Synchronous from memory, a promise across the network; the promise never rejects. */
  admit(demand: AdmissionDemand): AdmissionAnswer | Promise<AdmissionAnswer>
  close(): Promise<void>
}

/** What an agent hears that makes more proofs than one key may have remembered; no configured limit, so it has a name. */
export const TOO_MANY_PROOFS = {
  kind: 'limited',
  by: 'rate',
  name: 'proofs-of-one-key',
  retryAfterMs: 1_000,
  limits: [],
} as const satisfies AdmissionAnswer

/** What concurrency cannot know (when a place gets free) is answered with a second. */
export const CONCURRENCY_RETRY_MS = 1_000
export const UNAVAILABLE_RETRY_MS = 1_000
export const DAY_MS = 86_400_000

/** Distinct operations remembered per task, and tasks per agent; the oldest task makes room. */
export const MOST_TASK_OPERATIONS = 128
export const MOST_AGENT_TASKS = 256
/** Distinct operations remembered of an agent's last hour; the one longest unused makes room, and `*` stands for it. */
export const MOST_RECENT_OPERATIONS = 128

/** Windows of the history that policy reads. */
export const CALLS_WINDOW_MS = 60_000
export const DENIALS_WINDOW_MS = 600_000
export const ERRORS_WINDOW_MS = 3_600_000
export const RECENT_WINDOW_MS = 3_600_000
