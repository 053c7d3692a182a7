import type { DataClass } from '../catalog/connector.ts'
import type { Admitted, Routed } from '../exchange.ts'
import { once } from '../lib/once.ts'
import { admissionRefusal } from '../limits/admission-refusal.ts'
import type { LockGate } from '../locks/locks.ts'
import type { BreakerResult } from '../limits/breaker.ts'
import { feedbackOf, upstreamResultOf } from '../limits/feedback.ts'
import type { UpstreamBreakers } from '../limits/upstream-breakers.ts'
import { pass, refuse, type Verdict } from '../refusal.ts'
import type { Lease } from '../settlement.ts'
import type { AdmissionAnswer, AdmissionDemand, AdmissionStore, LimitKind } from '../store/admission-store.ts'

export interface AdmitDependencies {
  readonly locks: Pick<LockGate, 'check' | 'enter' | 'leave'>
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

/** Whether this call may be made now: locks and the upstream's breaker, which cost no trip, then everything shared in one. */
export function createAdmit(
  dependencies: AdmitDependencies,
): (routed: Routed) => Verdict<Admitted> | Promise<Verdict<Admitted>> {
  const { locks, store, demand, upstreams, replayChallenge, onLimited } = dependencies
  const clock = upstreams.clock
  return (routed) => {
    const locked = locks.check(routed)
    if (locked !== undefined) return { ok: false, refusal: locked }
    const demanded = demand(routed)
    const breaker = upstreams.of(routed.connector.name)
    const entry = breaker.enter(clock.monotonicMs())
    if (!entry.admitted) return refuse('breaker.upstream_open', { retryAfterMs: entry.retryAfterMs })
    const underLocks = locks.enter(routed)
    const leave = (result: BreakerResult): void => {
      locks.leave(underLocks)
      breaker.leave(entry.generation, result, clock.monotonicMs(), demanded.agent)
    }
    const conclude = (answer: AdmissionAnswer): Verdict<Admitted> => {
      if (answer.kind === 'admitted') return pass(admitted(routed, answer, leave, dependencies))
      leave('none')
      if (answer.kind === 'limited') onLimited?.(answer.by, answer.name)
      return { ok: false, refusal: admissionRefusal(answer, () => replayChallenge(routed)) }
    }
    const answer = store.admit(demanded)
    return answer instanceof Promise ? answer.then(conclude) : conclude(answer)
  }
}

type Yes = Extract<AdmissionAnswer, { kind: 'admitted' }>

function admitted(
  routed: Routed,
  { history, limits, recall, settle }: Yes,
  leave: (result: BreakerResult) => void,
  { dataClasses }: AdmitDependencies,
): Admitted {
  const lease: Lease = {
    settle: once((settlement) => {
      leave(upstreamResultOf(settlement))
      settle(feedbackOf(settlement))
    }),
  }
  const dataClassesTask = dataClasses(history.operationsTask)
  const dataClasses1h = dataClasses(history.operations1h)
  return { ...routed, history, recall, dataClassesTask, dataClasses1h, limits, lease }
}
