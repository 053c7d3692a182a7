import type { ApprovalEvent } from '../approvals/approval-event.ts'
import type { ApprovalNews, NotifyEvent } from './event.ts'

/** What people are told of what happened to an approval; nothing where only whoever tried has to know. */
export function approvalNews(event: ApprovalEvent): ApprovalNews | undefined {
  if (event.kind === 'vote_refused') return undefined
  const { atMs, approval } = event
  const by = byWhom(event)
  if (approval.kind === 'approval') return { type: `approval.${event.kind}`, atMs, approval, by }
  // A review holds no call, so that there is none to use it.
  return event.kind === 'consumed' ? undefined : { type: `review.${event.kind}`, atMs, approval, by }
}

function byWhom({ kind, approval }: ApprovalEvent): string {
  switch (kind) {
    case 'voted':
    case 'approved':
    case 'denied':
      return approval.votes.at(-1)?.person.id ?? ''
    case 'revoked':
      return approval.revokedBy
    default:
      return ''
  }
}

export function isApprovalNews(event: NotifyEvent): event is ApprovalNews {
  return 'approval' in event
}
