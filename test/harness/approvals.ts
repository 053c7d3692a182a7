import type { ApprovalEvent, ApprovalEventKind } from '../../gateway/approvals/approval-event.ts'
import type { Approval } from '../../gateway/approvals/approval.ts'
import { ApprovalService, type WantedApproval } from '../../gateway/approvals/approval-service.ts'
import { approvalId, demand, EVERYBODY_IS_KNOWN, subject } from './approval.ts'
import { type EmbeddedApprovals, openEmbeddedApprovals } from './embedded-approvals.ts'

export const WANTED: WantedApproval = { kind: 'approval', subject: subject(), demand: demand() }

export interface RunningApprovals extends EmbeddedApprovals {
  readonly service: ApprovalService
  readonly events: readonly ApprovalEvent[]
  /** What happened, in order. */
  kinds(): readonly ApprovalEventKind[]
  request(more?: Partial<WantedApproval>): Promise<Approval>
}

/** Approvals of one gateway in a file of their own; ids count up from `00000000-0000-7000-8000-000000000001`. */
export async function startApprovals(): Promise<RunningApprovals> {
  const opened = await openEmbeddedApprovals()
  const events: ApprovalEvent[] = []
  let made = 0
  const service = new ApprovalService({
    store: opened.store,
    people: EVERYBODY_IS_KNOWN,
    config: { maxPendingPerAgent: 2, maxPending: 10 },
    newId: () => approvalId(`00000000-0000-7000-8000-${String(++made).padStart(12, '0')}`),
    onEvent: (event) => events.push(event),
    onFull: () => {},
  })
  return {
    ...opened,
    service,
    events,
    kinds: () => events.map(({ kind }) => kind),
    request: async (more = {}) => {
      const answer = await service.request({ ...WANTED, ...more })
      if (answer.kind === 'full') throw new Error('full')
      return answer.approval
    },
  }
}
