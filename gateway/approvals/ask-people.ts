import type { Decided, Presented } from '../exchange.ts'
import type { Clock } from '../lib/clock.ts'
import { pass, refuse } from '../refusal.ts'
import type { Verdict } from '../refusal.ts'
import type { Hold } from './hold.ts'
import { type ApprovalObligation, type Owed, owedTo } from './owed.ts'

export interface AskPeopleDependencies {
  readonly hold: Pick<Hold, 'ask'>
  /** Asks the policy that is in force by now. */
  readonly redecide: (call: Presented) => Verdict<Decided> | Promise<Verdict<Decided>>
  readonly clock: Pick<Clock, 'nowMs'>
}

/** A call as it was decided after people had answered, and what else it owes. */
export interface Asked {
  readonly call: Decided
  readonly owed: Owed
}

/** Asks people about a call. What they answer is only ever an input to a decision: the call is decided anew. */
export function createAskPeople({
  hold,
  redecide,
  clock,
}: AskPeopleDependencies): (call: Decided, obligation: ApprovalObligation) => Promise<Verdict<Asked>> {
  return async (call, obligation) => {
    const answered = await hold.ask(call, obligation)
    if (!answered.ok) return answered
    const again = await redecide({ ...call, approval: answered.value, askedAtMs: clock.nowMs() })
    if (!again.ok) return again
    const owed = owedTo(again.value)
    if (!owed.ok) return owed
    if (owed.value.approval === undefined) return pass({ call: again.value, owed: owed.value })
    const held = await hold.ask(again.value, owed.value.approval)
    // With an approval that no longer suffices nobody waits a second time.
    return held.ok ? refuse('approval.required') : held
  }
}
