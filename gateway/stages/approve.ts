import type { Approval } from '../approvals/approval.ts'
import type { ApprovalObligation, Hold } from '../approvals/hold.ts'
import type { Decided, Presented } from '../exchange.ts'
import { assertNever } from '../lib/assert-never.ts'
import type { Clock } from '../lib/clock.ts'
import type { Obligation } from '../policy/decision.ts'
import { pass, refuse } from '../refusal.ts'
import type { Refusal, Verdict } from '../refusal.ts'

/**
 * Proof that policy allowed this call and that nothing it demands beforehand is owed. Only the type leaves this file, and
 * the private member keeps look-alikes out, so a path that skips policy or approval does not compile.
 */
class Permit {
  readonly #call: Decided
  readonly #approval: Approval | undefined

  constructor(call: Decided, approval?: Approval) {
    this.#call = call
    this.#approval = approval
  }

  /** As it was decided last. */
  get call(): Decided {
    return this.#call
  }

  /** What was used up for it, and for nothing else. */
  get approval(): Approval | undefined {
    return this.#approval
  }
}

export type { Permit }

export interface ApproveDependencies {
  readonly hold: Pick<Hold, 'ask' | 'use'>
  /** Asks the policy that is in force by now. */
  readonly redecide: (call: Presented) => Verdict<Decided> | Promise<Verdict<Decided>>
  readonly clock: Pick<Clock, 'nowMs'>
}

/**
 * Lets a call go on whose obligations can be met: people are asked here, those of its answer are carried out by relay, those
 * that tell people by record. What nobody can carry out is a refusal: later it would be too late to find out.
 *
 * What people answered is only ever an input to a decision: a call that waited for them is decided anew.
 */
export function createApprove({
  hold,
  redecide,
  clock,
}: ApproveDependencies): (decided: Decided) => Verdict<Permit> | Promise<Verdict<Permit>> {
  const use = async (call: Decided, approval: Approval): Promise<Verdict<Permit>> => {
    const used = await hold.use(call, approval)
    return used.ok ? pass(new Permit(call, used.value)) : used
  }
  const permit = (call: Decided): Verdict<Permit> | Promise<Verdict<Permit>> => {
    const { approval } = call
    return approval?.state === 'approved' ? use(call, approval) : pass(new Permit(call))
  }
  const ask = async (call: Decided, owed: ApprovalObligation): Promise<Verdict<Permit>> => {
    const answered = await hold.ask(call, owed)
    if (!answered.ok) return answered
    const again = await redecide({ ...call, approval: answered.value, askedAtMs: clock.nowMs() })
    if (!again.ok) return again
    const due = dueOf(again.value)
    if (!due.ok) return due
    if (due.value === undefined) return permit(again.value)
    const held = await hold.ask(again.value, due.value)
    // With an approval that no longer suffices nobody waits a second time.
    return held.ok ? refuse('approval.required') : held
  }
  return (decided) => {
    const { allow, reasons } = decided.decision
    if (!allow) return refuse('policy.denied', { reasons })
    const due = dueOf(decided)
    if (!due.ok) return due
    return due.value === undefined ? permit(decided) : ask(decided, due.value)
  }
}

/** What people are to be asked, if anything; a refusal where something is demanded that nobody can do. */
function dueOf({ decision: { obligations } }: Decided): Verdict<ApprovalObligation | undefined> {
  const refusal = obligations.map(refusalOf).find((found) => found !== undefined)
  if (refusal !== undefined) return { ok: false, refusal }
  const [owed, other] = obligations.filter((obligation) => obligation.type === 'approval')
  if (other !== undefined)
    return refuse('policy.obligation_unsupported', { detail: 'two approvals are asked for at once' })
  return pass(owed)
}

function refusalOf(obligation: Obligation): Refusal | undefined {
  switch (obligation.type) {
    case 'approval':
    case 'cap_bytes':
    case 'notify':
    case 'redact':
      return undefined
    // Limits are counted at admission, before policy is asked; a review afterwards needs somebody who is asked.
    case 'limit':
    case 'post_review':
      return { code: 'policy.obligation_unsupported', detail: `${obligation.id} asks for ${obligation.type}` }
    default:
      return assertNever(obligation)
  }
}
