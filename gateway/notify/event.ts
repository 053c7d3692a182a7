import type { Approval } from '../approvals/approval.ts'
import type { CallId } from '../exchange.ts'

/** Everything that anybody can be told of, by family. */
export const EVENT_TYPES = [
  'approval.requested',
  'approval.voted',
  'approval.escalated',
  'approval.approved',
  'approval.denied',
  'approval.expired',
  'approval.revoked',
  'approval.consumed',
  'review.requested',
  'review.voted',
  'review.escalated',
  'review.approved',
  'review.denied',
  'review.expired',
  'review.revoked',
  'lock.set',
  'lock.released',
  'lock.expired',
  'lock.release_requested',
  'detection.raised',
  'policy.notice',
] as const
export type NotifyEventType = (typeof EVENT_TYPES)[number]

export const EVENT_FAMILIES = ['approval', 'review', 'lock', 'detection', 'policy'] as const
export type EventFamily = (typeof EVENT_FAMILIES)[number]

interface Told {
  /** When it happened, milliseconds since the epoch. */
  readonly atMs: number
}

/** A call that waits for people, or is reviewed, or what became of that; the approval is as it stands after that. */
export interface ApprovalNews extends Told {
  readonly type: Extract<NotifyEventType, `approval.${string}` | `review.${string}`>
  readonly approval: Approval
  /** Who did it; empty where nobody did, as when time ran out. */
  readonly by: string
}

/** What people are told of a lock. */
export interface LockFacts {
  readonly id: string
  /** As it is written: `agent:change-review-agent`. */
  readonly scope: string
  readonly reason: string
  /** Rises with every change of the locks. */
  readonly epoch: number
  /** Milliseconds since the epoch; 0 where it ends only when somebody releases it. */
  readonly expiresAtMs: number
}

export interface LockNews extends Told {
  readonly type: Extract<NotifyEventType, `lock.${string}`>
  readonly lock: LockFacts
  /** Who did it; the name of a part of the gateway where no person did. */
  readonly by: string
}

export interface DetectionFacts {
  readonly id: string
  /** What kind of thing was seen: a closed set of the detections. */
  readonly kind: string
  readonly severity: 'info' | 'warning' | 'error' | 'critical'
  readonly tenant: string
  readonly agent: string
  readonly principal: string
  readonly operation: string
  /** The call that gave it away; empty where there is none. */
  readonly callId: string
  /** What it may mean. */
  readonly hypothesis: string
  /** What to do about it. */
  readonly nextStep: string
  /** Id of the lock that it set; empty where it set none. */
  readonly lock: string
}

export interface DetectionNews extends Told {
  readonly type: 'detection.raised'
  readonly detection: DetectionFacts
}

/** What policy wants told of a call, through an obligation of type `notify`. */
export interface PolicyNotice extends Told {
  readonly type: 'policy.notice'
  readonly groups: readonly string[]
  readonly obligation: string
  readonly callId: CallId
  readonly tenant: string
  readonly agent: string
  readonly principal: string
  readonly operation: string
  readonly risk: number
  /** How the call ended: an outcome code. */
  readonly outcome: string
  readonly upstreamStatus: number
}

export type NotifyEvent = ApprovalNews | LockNews | DetectionNews | PolicyNotice

/** Tells whoever is to be told. Returns at once and never throws: nobody's call waits for a message. */
export type Notify = (event: NotifyEvent) => void

/** Groups whose business it is; nothing where it is everybody's. */
export function groupsOf(event: NotifyEvent): readonly string[] {
  if (event.type === 'policy.notice') return event.groups
  if (!('approval' in event)) return []
  const { terms, escalated } = event.approval
  const escalation = escalated ? [terms.escalationGroup] : []
  return [...terms.groups, ...escalation]
}

/**
 * Names what happened, the same whoever tells of it and however often: a receiver that knows it already has heard it.
 */
export function eventIdOf(event: NotifyEvent): string {
  switch (event.type) {
    case 'detection.raised':
      return `${event.type}:${event.detection.id}`
    case 'policy.notice':
      return `${event.type}:${event.callId}:${event.obligation}`
    case 'lock.set':
    case 'lock.released':
    case 'lock.expired':
    case 'lock.release_requested':
      return `${event.type}:${event.lock.id}:${String(event.lock.epoch)}`
    default:
      return `${event.type}:${event.approval.id}:${String(event.approval.votes.length)}`
  }
}
