import { expect, it } from 'vitest'
import type { ApprovalEvent } from '../../../gateway/approvals/approval-event.ts'
import { approvalNews } from '../../../gateway/notify/approval-news.ts'
import { anApproval, aVote } from '../../harness/news.ts'

const atMs = 1
const yes = aVote('omar@zyx.example', 'approve')

it.each<[string, ApprovalEvent, { type: string; by: string } | undefined]>([
  ['a request', { kind: 'requested', atMs, approval: anApproval() }, { type: 'approval.requested', by: '' }],
  [
    'a vote, and whose it was',
    { kind: 'voted', atMs, vote: yes, approval: anApproval({ votes: [yes] }) },
    { type: 'approval.voted', by: 'omar@zyx.example' },
  ],
  [
    'the end of a review',
    { kind: 'denied', atMs, approval: anApproval({ kind: 'review', votes: [yes], state: 'denied' }) },
    { type: 'review.denied', by: 'omar@zyx.example' },
  ],
  [
    'that somebody took it back',
    { kind: 'revoked', atMs, approval: anApproval({ state: 'revoked', revokedBy: 'ida@zyx.example' }) },
    { type: 'approval.revoked', by: 'ida@zyx.example' },
  ],
  [
    'nothing of a vote that does not count',
    {
      kind: 'vote_refused',
      atMs,
      approval: anApproval(),
      why: 'excluded',
      ballot: { person: yes.person, verdict: 'approve', viewDigest: '', comment: '' },
    },
    undefined,
  ],
])('people are told of %s', (_, event, told) => {
  expect(approvalNews(event)).toEqual(told && { ...told, atMs, approval: event.approval })
})
