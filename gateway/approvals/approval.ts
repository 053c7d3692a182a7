import type { Person } from '../control/actor.ts'
import type { CallId } from '../exchange.ts'
import type { Branded } from '../lib/branded.ts'
import type { Reason } from '../refusal.ts'

/** UUIDv7. Who knows it can ask about the approval, but decide nothing with it: it is no credential. */
export type ApprovalId = Branded<string, 'ApprovalId'>

/**
 * `approval` holds a call until people said yes; `review` asks them afterwards (`post_review`), and holds nothing.
 */
export type ApprovalKind = 'approval' | 'review'

/**
 * `pending` waits for people. An `approved` approval waits for its call and can still end in any other way; an `approved`
 * review is over. The rest is final.
 */
export const APPROVAL_STATES = ['pending', 'approved', 'denied', 'expired', 'revoked', 'consumed'] as const
export type ApprovalState = (typeof APPROVAL_STATES)[number]

/** What one person answered. Votes are only ever added. */
export interface Vote {
  readonly person: Person
  readonly verdict: 'approve' | 'deny'
  /** Digest of what they were shown; the vote counts only where that is what will be sent. */
  readonly viewDigest: string
  readonly comment: string
  readonly atMs: number
}

/** What policy demands of people, before the store has said what time it is. */
export interface ApprovalDemand {
  /** Any one of these groups may answer; the escalation group, too, once `escalateAfterMs` have passed. */
  readonly groups: readonly string[]
  /** Different people who have to say yes. */
  readonly count: number
  /** Empty where nobody else is ever asked. */
  readonly escalationGroup: string
  readonly escalateAfterMs: number
  readonly answerWithinMs: number
  /** How long the call may wait after it was approved. */
  readonly useWithinMs: number
  /** Identities that may not answer: the principal, those who delegated, the agent and its owner. */
  readonly excluded: readonly string[]
  /** Nor may anybody who is in one of these. */
  readonly excludedGroups: readonly string[]
}

/** What has to be answered, by whom, until when: the demand at the time of the store when the call was held. */
export interface Terms {
  readonly groups: readonly string[]
  readonly count: number
  readonly escalationGroup: string
  readonly escalateAtMs: number
  /** Until then people can answer. */
  readonly expiresAtMs: number
  /** So long after the last yes the call can be made. */
  readonly useWithinMs: number
  readonly excluded: readonly string[]
  readonly excludedGroups: readonly string[]
}

/** What is approved: this very call and no other. */
export interface Subject {
  /** Hex SHA-256 over everything the approval is bound to; see `bindingOf`. */
  readonly binding: string
  /** The call that was held first. */
  readonly callId: CallId
  readonly tenant: string
  readonly agent: { readonly id: string; readonly issuer: string; readonly key: string }
  readonly principal: string
  readonly connector: string
  readonly operation: string
  readonly task: string
  readonly risk: number
  readonly reasons: readonly Reason[]
  readonly policy: { readonly digest: string; readonly revision: string }
  /** What people are shown, rendered from the bytes that will be sent. */
  readonly view: string
  /** Hex SHA-256 of `view`. */
  readonly viewDigest: string
}

export interface Approval {
  readonly id: ApprovalId
  readonly kind: ApprovalKind
  readonly subject: Subject
  readonly terms: Terms
  readonly state: ApprovalState
  readonly votes: readonly Vote[]
  readonly escalated: boolean
  /** All times are those of the store. */
  readonly createdAtMs: number
  /** When `state` became what it is; 0 while it is `pending`. */
  readonly resolvedAtMs: number
  /** The call that used it; empty before. */
  readonly consumedBy: CallId | ''
  /** Who took it back, and why; empty unless `revoked`. */
  readonly revokedBy: string
  readonly revocationReason: string
}
