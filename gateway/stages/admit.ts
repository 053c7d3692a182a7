import type { DataClass } from '../catalog/connector.ts'
import type { Admitted, Lease, Routed } from '../exchange.ts'
import type { BreakerResult } from '../limits/breaker.ts'
import { feedbackOf, upstreamResultOf } from '../limits/feedback.ts'
import { rateLimitHeaders } from '../limits/rate-limit-headers.ts'
import type { UpstreamBreakers } from '../limits/upstream-breakers.ts'
import { assertNever } from '../lib/assert-never.ts'
import { pass, refuse, type Verdict } from '../refusal.ts'
import type { AdmissionAnswer, AdmissionDemand, AdmissionStore, LimitKind } from '../store/admission-store.ts'

export interface AdmitDependencies {
  readonly store: AdmissionStore
  /** From `compileDemand`. */
  readonly demand: (routed: Routed) => AdmissionDemand
  readonly upstreams: UpstreamBreakers
  /** Flat headers that RFC 9449 §7.1 wants with a refused proof. */
  readonly replayChallenge: (routed: Routed) => readonly string[]
  /** Of the operations named. */
  readonly dataClasses: (operations: readonly string[]) => readonly DataClass[]
  /** For metrics: a limit said no. */
  readonly onLimited?: (kind: LimitKind, name: string) => void
}

/** Whether this call may be made now: the upstream's breaker first, which costs no trip, then everything shared in one. */
export function createAdmit(
  dependencies: AdmitDependencies,
): (routed: Routed) => Verdict<Admitted> | Promise<Verdict<Admitted>> {
  const { store, demand, upstreams } = dependencies
  const clock = upstreams.clock
  return (routed) => {
    const demanded = demand(routed)
    const breaker = upstreams.of(routed.connector.name)
    const entry = breaker.enter(clock.monotonicMs())
    if (!entry.admitted) return refuse('breaker.upstream_open', { retryAfterMs: entry.retryAfterMs })
    const leave = (result: BreakerResult): void =>
      breaker.leave(entry.generation, result, clock.monotonicMs(), demanded.agent)
    const conclude = (answer: AdmissionAnswer): Verdict<Admitted> => {
      if (answer.kind === 'admitted') return pass(admitted(routed, answer, leave, dependencies))
      leave('none')
      return refused(answer, routed, dependencies)
    }
    const answer = store.admit(demanded)
    return answer instanceof Promise ? answer.then(conclude) : conclude(answer)
  }
}

type Yes = Extract<AdmissionAnswer, { kind: 'admitted' }>
type No = Exclude<AdmissionAnswer, Yes>

function admitted(
  routed: Routed,
  { history, limits, settle }: Yes,
  leave: (result: BreakerResult) => void,
  { dataClasses }: AdmitDependencies,
): Admitted {
  let settled = false
  const lease: Lease = {
    settle(settlement) {
      if (settled) return
      settled = true
      leave(upstreamResultOf(settlement))
      settle(feedbackOf(settlement))
    },
  }
  const dataClassesTask = dataClasses(history.operationsTask)
  const dataClasses1h = dataClasses(history.operations1h)
  return { ...routed, history, dataClassesTask, dataClasses1h, limits, lease }
}

function refused(
  answer: No,
  routed: Routed,
  { replayChallenge, onLimited }: AdmitDependencies,
): Verdict<Admitted> {
  switch (answer.kind) {
    case 'replayed':
      return refuse('identity.proof_replayed', { headers: replayChallenge(routed) })
    case 'agent-stopped':
      return refuse('breaker.agent_open', { retryAfterMs: answer.retryAfterMs })
    case 'unavailable':
      return refuse('store.unavailable', { retryAfterMs: answer.retryAfterMs, cause: answer.cause })
    case 'limited': {
      onLimited?.(answer.by, answer.name)
      const headers = rateLimitHeaders(answer.limits)
      return refuse(`limit.${answer.by}`, { retryAfterMs: answer.retryAfterMs, detail: answer.name, headers })
    }
    default:
      return assertNever(answer)
  }
}
