import type { ApprovalsConfig } from '../config/approvals-config.ts'
import type { Decided } from '../exchange.ts'
import { pass, refuse, type Verdict } from '../refusal.ts'
import type { ApprovalId } from './approval.ts'
import type { ApprovalService } from './approval-service.ts'
import { demandOf } from './demand.ts'
import { refusalOfBound, unavailableOr } from './hold.ts'
import type { ReviewObligation } from './owed.ts'
import { type BoundOf, subjectOf } from './subject.ts'

export interface ReviewsDependencies {
  readonly service: Pick<ApprovalService, 'request' | 'revoke'>
  readonly config: ApprovalsConfig
  readonly boundOf: BoundOf
  readonly onFault: (cause: unknown) => void
}

/** Asks people about calls that need not wait for them (`post_review`). */
export class Reviews {
  readonly #dependencies: ReviewsDependencies

  constructor(dependencies: ReviewsDependencies) {
    this.#dependencies = dependencies
  }

  /** Before the call is made: one that nobody could be asked about afterwards is not made. */
  async ask(call: Decided, { properties }: ReviewObligation): Promise<Verdict<ApprovalId>> {
    const { service, config, boundOf } = this.#dependencies
    // Nobody can look at what has passed through unread.
    if (call.content.stream !== undefined) return refuse('approval.unbindable')
    const subject = subjectOf(call, boundOf(call))
    const demand = demandOf(properties, call.caller, config)
    try {
      const asked = await service.request({ kind: 'review', subject, demand })
      return asked.kind === 'full' ? refusalOfBound(asked.bound) : pass(asked.approval.id)
    } catch (cause) {
      return unavailableOr(cause)
    }
  }

  /** The call was not made after all; nobody waits for this. */
  withdraw(id: ApprovalId): void {
    const { service, onFault } = this.#dependencies
    service.revoke(id, { by: 'gateway', reason: 'the call was not made' }).catch(onFault)
  }
}
