import type { Presented } from '../exchange.ts'
import type { Clock } from '../lib/clock.ts'
import { type PolicyBreaker, provenAgentOf } from '../limits/policy-breaker.ts'
import { refuse } from '../refusal.ts'
import type { Verdict } from '../refusal.ts'
import type { DecisionLog } from './decision-log/decision-log.ts'

export interface MayAskDependencies {
  /** `undefined` where nobody asks for decisions. */
  readonly decisionLog: Pick<DecisionLog, 'admits'> | undefined
  readonly breaker: Pick<PolicyBreaker, 'retryAfterMs'>
  readonly clock: Pick<Clock, 'monotonicMs'>
}

type Stopped = Verdict<never> | undefined

/** Whether policy may be asked at all: not by an agent that keeps making it fail, nor while its answer cannot be logged. */
export function createMayAsk({
  decisionLog,
  breaker,
  clock,
}: MayAskDependencies): (call: Presented) => Stopped | Promise<Stopped> {
  return (call) => {
    const retryAfterMs = breaker.retryAfterMs(provenAgentOf(call), clock.monotonicMs())
    if (retryAfterMs > 0) {
      return refuse('breaker.agent_open', { retryAfterMs, detail: 'policy failed for this agent too often' })
    }
    const admitted = decisionLog?.admits() ?? true
    return admitted instanceof Promise ? admitted.then(unlogged) : unlogged(admitted)
  }
}

/** Before policy is asked: a decision that was made has to be logged. */
function unlogged(hasRoom: boolean): Stopped {
  if (hasRoom) return undefined
  return refuse('audit.unavailable', { detail: 'the decision log is full', retryAfterMs: 1_000 })
}
