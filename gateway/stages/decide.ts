import type { Decided, Presented, ReadCall } from '../exchange.ts'
import type { Clock } from '../lib/clock.ts'
import { type PolicyBreaker, provenAgentOf } from '../limits/policy-breaker.ts'
import { buildInput } from '../policy/build-input.ts'
import type { PolicyTime } from '../policy/calendar.ts'
import type { DecisionLog } from '../policy/decision-log/decision-log.ts'
import type { Decision } from '../policy/decision.ts'
import type { Signals } from '../policy/input.ts'
import { createMayAsk, type MayAskDependencies } from '../policy/may-ask.ts'
import type { Policy } from '../policy/policy.ts'
import type { Shadow } from '../policy/shadow.ts'
import { type DecidedBy, pass, refuse, type Verdict } from '../refusal.ts'

export interface DecideDependencies extends MayAskDependencies {
  readonly policy: Pick<Policy, 'bundles' | 'decide' | 'digest' | 'evaluateLog' | 'revision'>
  /** Told of every decision; `undefined` where nobody asks for them. */
  readonly decisionLog: Pick<DecisionLog, 'admits' | 'record'> | undefined
  /** Local time for the rules, from milliseconds since the epoch; see `createCalendar`. */
  readonly timeOf: (nowMs: number) => PolicyTime
  /** What the detectors found in the request, and the counters know of the operation. */
  readonly signalsOf: (call: ReadCall) => Signals
  /** Stops agents that keep making policy fail. */
  readonly breaker: Pick<PolicyBreaker, 'retryAfterMs' | 'failed'>
  /** An evaluation that takes longer has failed, too; milliseconds. */
  readonly budgetMs: number
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly observe: (buildAndEvaluateMs: number) => void
  /** Told of every call that policy was asked about, to decide it once more later on. */
  readonly shadow?: Pick<Shadow, 'observe'> | undefined
}

type Deciding = Verdict<Decided> | Promise<Verdict<Decided>>

/** Asks policy. Only a well-formed allow passes; DESIGN §3, row 6. */
export function createDecide(dependencies: DecideDependencies): (call: Presented) => Deciding {
  const mayAsk = createMayAsk(dependencies)
  const decide = bindDecide(dependencies)
  return (call) => {
    const stopped = mayAsk(call)
    if (stopped instanceof Promise) return stopped.then((refused) => refused ?? decide(call))
    return stopped ?? decide(call)
  }
}

function bindDecide(dependencies: DecideDependencies): (call: Presented) => Deciding {
  const { policy, decisionLog, timeOf, signalsOf, breaker, budgetMs, clock, observe, shadow } = dependencies
  return (call) => {
    const begunMs = clock.monotonicMs()
    const input = buildInput(call, signalsOf(call), timeOf(call.askedAtMs))
    const builtMs = clock.monotonicMs()
    const deciding = policy.decide(input)
    // Now, not when the answer is there: another policy may be in force by then.
    const { digest, revision, bundles } = policy
    const settle = (verdict: Verdict<Decision>): Verdict<Decided> => {
      const decidedMs = clock.monotonicMs()
      observe(decidedMs - begunMs)
      // In another thread the time would be that of those before it, too; there an evaluation that is slow ends in an error.
      const isSlow = decidedMs - builtMs > budgetMs && !(deciding instanceof Promise)
      const threw = !verdict.ok && verdict.refusal.code === 'policy.error'
      if (threw || isSlow) breaker.failed(provenAgentOf(call), decidedMs)
      decisionLog?.record(call, { digest, bundles, input, verdict, begunMs, builtMs, decidedMs }, policy)
      shadow?.observe({ callId: call.arrival.callId, input, verdict, by: { digest, revision } })
      return decidedBy({ digest, revision, input }, call, verdict)
    }
    return deciding instanceof Promise ? deciding.then(settle) : settle(deciding)
  }
}

function decidedBy(
  by: DecidedBy & Pick<Decided, 'input'>,
  call: Presented,
  verdict: Verdict<Decision>,
): Verdict<Decided> {
  if (!verdict.ok) return { ok: false, refusal: { ...verdict.refusal, decidedBy: by } }
  const decision = verdict.value
  const { digest, revision, input } = by
  if (decision.allow) return pass({ ...call, input, decision, policy: { digest, revision } })
  const { reasons, risk, reported } = decision
  return refuse('policy.denied', { reasons, decidedBy: { ...by, risk, reported } })
}
