import { createHash } from 'node:crypto'
import type { Approval, ApprovalDemand, Subject, Vote } from '../../gateway/approvals/approval.ts'
import type { ApprovalNews, DetectionNews, LockNews, PolicyNotice } from '../../gateway/notify/event.ts'
import { callId, pendingApproval } from './approval.ts'

const AT_MS = Date.parse('2026-11-26T09:00:00Z')
const VIEW =
  'CALL\n  method: DELETE\n  url: https://api.github.com/repos/zyx/payments-core/git/refs/heads/main'

interface Overrides extends Partial<Omit<Approval, 'subject' | 'terms'>> {
  readonly subject?: Partial<Subject>
  readonly demand?: Partial<ApprovalDemand>
}

/** An approval that waits for one of `devsecops-change-review`, and after five minutes of `security-on-call`. */
export function anApproval({ subject, demand, ...more }: Overrides = {}): Approval {
  const view = subject?.view ?? VIEW
  return {
    ...pendingApproval({
      id: '01980000-0000-7000-8000-000000000001',
      nowMs: AT_MS,
      subject: {
        callId: callId('01980000-0000-7000-8000-0000000000ca'),
        tenant: 'zyx-bank',
        agent: { id: 'change-review-agent', issuer: 'https://issuer.example', key: 'jkt' },
        principal: 'dana@zyx.example',
        operation: 'github.git/delete-ref',
        task: 'CHG-991',
        risk: 7,
        reasons: [{ code: 'repository.not_allowed', rule: 'R021', detail: '' }],
        view,
        viewDigest: createHash('sha256').update(view).digest('hex'),
        ...subject,
      },
      demand: {
        groups: ['devsecops-change-review'],
        escalationGroup: 'security-on-call',
        escalateAfterMs: 300_000,
        answerWithinMs: 900_000,
        excluded: ['dana@zyx.example', 'change-review-agent'],
        ...demand,
      },
    }),
    ...more,
  }
}

export function aVote(id: string, verdict: Vote['verdict'], more: Partial<Vote> = {}): Vote {
  return {
    person: {
      id,
      issuer: 'slack:T0ZYXBANK',
      groups: ['devsecops-change-review'],
      channel: 'slack',
      authentication: 'slack',
    },
    verdict,
    viewDigest: anApproval().subject.viewDigest,
    comment: '',
    atMs: AT_MS + 60_000,
    ...more,
  }
}

export function approvalNews(more: Partial<ApprovalNews> = {}): ApprovalNews {
  return { type: 'approval.requested', atMs: AT_MS, by: '', approval: anApproval(), ...more }
}

export function lockNews(more: Partial<LockNews> = {}): LockNews {
  return {
    type: 'lock.set',
    atMs: AT_MS,
    by: 'omar@zyx.example',
    lock: {
      id: '01980000-0000-7000-8000-00000000010c',
      scope: 'agent:change-review-agent',
      reason: 'it deletes branches',
      epoch: 4,
      expiresAtMs: 0,
    },
    ...more,
  }
}

export function detectionNews(more: Partial<DetectionNews['detection']> = {}): DetectionNews {
  return {
    type: 'detection.raised',
    atMs: AT_MS,
    detection: {
      id: '01980000-0000-7000-8000-0000000000de',
      kind: 'repeated_denials',
      severity: 'warning',
      tenant: 'zyx-bank',
      agent: 'change-review-agent',
      principal: 'dana@zyx.example',
      operation: 'github.git/delete-ref',
      callId: '01980000-0000-7000-8000-0000000000ca',
      hypothesis: 'it tries what it may not do',
      nextStep: 'look at its last calls',
      lock: '',
      ...more,
    },
  }
}

export function policyNotice(more: Partial<PolicyNotice> = {}): PolicyNotice {
  return {
    type: 'policy.notice',
    atMs: AT_MS,
    groups: ['soc'],
    obligation: 'R063',
    callId: callId('01980000-0000-7000-8000-0000000000ca'),
    tenant: 'zyx-bank',
    agent: 'change-review-agent',
    principal: 'dana@zyx.example',
    operation: 'github.issues/create-comment',
    risk: 2,
    outcome: 'allowed',
    upstreamStatus: 201,
    ...more,
  }
}
