import { majorUnits } from '../catalog/amount.ts'
import type { Amount, ReadCall, Reserved, Spend } from '../exchange.ts'
import { once } from '../lib/once.ts'
import { spendEndOf } from '../limits/feedback.ts'
import type { CallerNames } from '../limits/caller-names.ts'
import { keyPart } from '../limits/key-part.ts'
import { pass, refuse, type Verdict } from '../refusal.ts'
import type { Settlement } from '../settlement.ts'
import type { SpendAnswer, SpendDemand, SpendStore } from '../store/spend-store.ts'

export interface ReserveDependencies {
  readonly store: SpendStore
  readonly namesOf: CallerNames
  /** Date in the time zone of policy; see `createCalendar`. */
  readonly dayOf: (nowMs: number) => string
  /** For metrics: what became of the amount of one call. */
  readonly onEnd: (end: 'kept' | 'released' | 'unavailable') => void
}

const NOTHING: Spend = { day: 0, task: 0 }

/**
 * Takes the amount of a call out of its budgets before policy is asked, which then sees what was spent and what other
 * calls hold. A call without an amount makes no trip. DESIGN §3, last paragraph.
 */
export function createReserve({
  store,
  namesOf,
  dayOf,
  onEnd,
}: ReserveDependencies): (call: ReadCall) => Verdict<Reserved> | Promise<Verdict<Reserved>> {
  const demandOf = ({ arrival, caller, declared }: ReadCall, { currency, minor }: Amount): SpendDemand => {
    const { tag, agent } = namesOf(caller)
    return {
      callId: arrival.callId,
      tag,
      agent,
      task: declared.task === '' ? '' : keyPart(declared.task),
      // Of arrival, as the time that policy is given: a body that takes its time does not move a call into tomorrow.
      day: dayOf(arrival.receivedAtMs),
      currency,
      minor,
    }
  }

  return (call) => {
    const { amount } = call
    if (amount === undefined) return pass({ ...call, spend: NOTHING, reservation: undefined })
    const answer = store.reserve(demandOf(call, amount))
    return answer instanceof Promise
      ? answer.then((late) => reserved(call, amount, late, onEnd))
      : reserved(call, amount, answer, onEnd)
  }
}

function reserved(
  call: ReadCall,
  { minorDigits }: Amount,
  answer: SpendAnswer,
  onEnd: ReserveDependencies['onEnd'],
): Verdict<Reserved> {
  if (answer.kind === 'unavailable') {
    onEnd('unavailable')
    const { retryAfterMs, cause } = answer
    return refuse('store.unavailable', { retryAfterMs, cause, detail: 'the amount cannot be counted' })
  }
  const { dayMinor, taskMinor } = answer
  const settle = once((settlement: Settlement) => {
    const end = spendEndOf(settlement)
    onEnd(end)
    answer.settle(end)
  })
  return pass({
    ...call,
    spend: { day: majorUnits(dayMinor, minorDigits), task: majorUnits(taskMinor, minorDigits) },
    reservation: { settle },
  })
}
