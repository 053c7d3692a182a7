import type { ApprovalService } from '../approvals/approval-service.ts'
import { bindingOf } from '../approvals/binding.ts'
import { refusalCodeOfState, unavailableOr } from '../approvals/hold.ts'
import { type BoundOf, isOwn } from '../approvals/subject.ts'
import type { Presented, Claimed } from '../exchange.ts'
import { pass, refuse, type Verdict } from '../refusal.ts'

export interface PresentDependencies {
  readonly service: Pick<ApprovalService, 'lookup'>
  readonly boundOf: BoundOf
}

/**
 * Looks up the approval that the agent says it has. What policy is then told is what people answered to this very call; an
 * approval of another agent, key or call, or one that is over, ends it here. A call that names none makes no trip.
 */
export function createPresent({
  service,
  boundOf,
}: PresentDependencies): (call: Claimed) => Verdict<Presented> | Promise<Verdict<Presented>> {
  const present = async (call: Claimed, id: Exclude<Claimed['wishes']['approval'], ''>) => {
    const approval = await service.lookup(id)
    if (approval === undefined || approval.kind !== 'approval') return refuse('approval.unknown')
    if (!isOwn(approval.subject, call)) return refuse('approval.mismatch', { detail: 'another agent or key' })
    if (call.content.stream !== undefined) return refuse('approval.unbindable')
    if (bindingOf(boundOf(call)) !== approval.subject.binding)
      return refuse('approval.mismatch', { detail: 'the binding differs' })
    const code = refusalCodeOfState(approval.state)
    return code === undefined ? pass(presented(call, approval)) : refuse(code)
  }
  return (call) => {
    const { approval: id } = call.wishes
    return id === '' ? pass(presented(call, undefined)) : present(call, id).catch(unavailableOr)
  }
}

function presented(call: Claimed, approval: Presented['approval']): Presented {
  // The time of arrival, not of evaluation: it is on record, so the decision can be made again.
  return { ...call, approval, askedAtMs: call.arrival.receivedAtMs }
}
