import type { Decided } from '../../gateway/exchange.ts'
import { createApprove, type Permit } from '../../gateway/stages/approve.ts'

const nobody = (): never => {
  throw new Error('people were asked')
}

const approve = createApprove({
  hold: { ask: nobody, use: nobody },
  reviews: { ask: nobody, withdraw: nobody },
  redecide: nobody,
  clock: { nowMs: nobody },
})

/** The permit of a call that owes nothing to anybody. */
export function permitted(decided: Decided): Permit {
  const verdict = approve(decided)
  if (verdict instanceof Promise) throw new Error('people were asked')
  if (!verdict.ok) throw new Error(`not permitted: ${verdict.refusal.code}`)
  return verdict.value
}
