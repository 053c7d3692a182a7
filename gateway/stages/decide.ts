import type { Decided, ReadCall, Reserved } from '../exchange.ts'
import type { Clock } from '../lib/clock.ts'
import { buildInput } from '../policy/build-input.ts'
import type { PolicyTime } from '../policy/calendar.ts'
import type { Decision } from '../policy/decision.ts'
import type { Signals } from '../policy/input.ts'
import type { Policy } from '../policy/policy.ts'
import { pass, refuse } from '../refusal.ts'
import type { DecidedBy, Verdict } from '../refusal.ts'

export interface DecideDependencies {
  readonly policy: Pick<Policy, 'decide' | 'digest' | 'revision'>
  /** Local time for the rules, from milliseconds since the epoch; see `createCalendar`. */
  readonly timeOf: (nowMs: number) => PolicyTime
  /** What the detectors found in the request, and the counters know of the operation. */
  readonly signalsOf: (call: ReadCall) => Signals
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** Told how long building the input and evaluating it took. */
  readonly observe: (elapsedMs: number) => void
}

/** Asks policy. Only a well-formed allow passes; DESIGN §3, row 6. */
export function createDecide(
  dependencies: DecideDependencies,
): (call: Reserved) => Verdict<Decided> | Promise<Verdict<Decided>> {
  const { policy, timeOf, signalsOf, clock, observe } = dependencies
  return (call) => {
    const startedMs = clock.monotonicMs()
    // The time of arrival, not of evaluation: it is on record, so the decision can be made again.
    const input = buildInput(call, signalsOf(call), timeOf(call.arrival.receivedAtMs))
    const verdict = policy.decide(input)
    // Now, not when the answer is there: another policy may be in force by then.
    const by = { digest: policy.digest, revision: policy.revision, input }
    const settle = (settled: Verdict<Decision>): Verdict<Decided> => {
      observe(clock.monotonicMs() - startedMs)
      return decidedBy(by, call, settled)
    }
    return verdict instanceof Promise ? verdict.then(settle) : settle(verdict)
  }
}

function decidedBy(by: DecidedBy & Pick<Decided, 'input'>, call: Reserved, verdict: Verdict<Decision>): Verdict<Decided> {
  if (!verdict.ok) return { ok: false, refusal: { ...verdict.refusal, decidedBy: by } }
  const decision = verdict.value
  const { digest, revision, input } = by
  if (decision.allow) return pass({ ...call, input, decision, policy: { digest, revision } })
  const { reasons, risk, reported } = decision
  return refuse('policy.denied', { reasons, decidedBy: { ...by, risk, reported } })
}
