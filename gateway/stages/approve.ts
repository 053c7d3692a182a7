import type { Approval } from '../approvals/approval.ts'
import type { Hold } from '../approvals/hold.ts'
import { createAskPeople, type AskPeopleDependencies } from '../approvals/ask-people.ts'
import { type Owed, owedTo, type ReviewObligation } from '../approvals/owed.ts'
import type { Reviews } from '../approvals/reviews.ts'
import type { Decided } from '../exchange.ts'
import { pass, refuse } from '../refusal.ts'
import type { Verdict } from '../refusal.ts'

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

export interface ApproveDependencies extends AskPeopleDependencies {
  readonly hold: Pick<Hold, 'ask' | 'use'>
  readonly reviews: Pick<Reviews, 'ask' | 'withdraw'>
}

/**
 * Lets a call go on whose obligations can be met: people are asked here, those of its answer are carried out by relay, those
 * that tell people by record. What nobody can carry out is a refusal: later it would be too late to find out.
 */
export function createApprove(
  dependencies: ApproveDependencies,
): (decided: Decided) => Verdict<Permit> | Promise<Verdict<Permit>> {
  const { hold, reviews } = dependencies
  const askPeople = createAskPeople(dependencies)
  const permitAsked = async (
    decided: Decided,
    owed: ReviewObligation | undefined,
  ): Promise<Verdict<Permit>> => {
    const review = owed && (await reviews.ask(decided, owed))
    if (review?.ok === false) return review
    const call = review === undefined ? decided : { ...decided, review: review.value }
    const { approval } = call
    if (approval?.state !== 'approved') return pass(new Permit(call))
    const used = await hold.use(call, approval)
    if (used.ok) return pass(new Permit(call, used.value))
    if (review !== undefined) reviews.withdraw(review.value)
    return used
  }
  const permit = (call: Decided, { review }: Owed): Verdict<Permit> | Promise<Verdict<Permit>> =>
    review === undefined && call.approval === undefined ? pass(new Permit(call)) : permitAsked(call, review)
  return (decided) => {
    const { allow, reasons } = decided.decision
    if (!allow) return refuse('policy.denied', { reasons })
    const owed = owedTo(decided)
    if (!owed.ok) return owed
    const { approval } = owed.value
    if (approval === undefined) return permit(decided, owed.value)
    return askPeople(decided, approval).then((asked) =>
      asked.ok ? permit(asked.value.call, asked.value.owed) : asked,
    )
  }
}
