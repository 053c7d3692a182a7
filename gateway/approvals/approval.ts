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

/** All but `pending` and `approved` are final. */
export type ApprovalState = 'pending' | 'approved' | 'denied' | 'expired' | 'revoked' | 'consumed'

/** What one person answered. Votes are only ever added. */
export interface Vote {
  readonly person: Person
  readonly verdict: 'approve' | 'deny'
  /** Digest of what they were shown; the vote counts only where that is what will be sent. */
  readonly viewDigest: string
  readonly comment: string
  readonly atMs: number
}

/** What has to be answered, by whom, until when: what policy demanded, as it stood when the call was held. */
export interface Terms {
  /** Any one of these groups may answer; the escalation group, too, from `escalateAtMs` on. */
  readonly groups: readonly string[]
  /** Different people who have to say yes. */
  readonly count: number
  readonly escalationGroup: string
  readonly escalateAtMs: number
  readonly expiresAtMs: number
  /** Identities that may not answer: the principal, those who delegated, the agent and its owner. */
  readonly excluded: readonly string[]
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
  readonly createdAtMs: number
  /** When the state became final, or `approved`; 0 before. */
  readonly resolvedAtMs: number
  /** The call that used it; empty before. */
  readonly consumedBy: CallId | ''
}
