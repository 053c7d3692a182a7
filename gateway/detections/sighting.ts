import type { CallId } from '../exchange.ts'
import type { DetectionName, LockTarget } from './rules.ts'

/**
 * Whom a sighting is counted by. An `agent` has proven who it is in this very call; a `person` has at the admin listener; a
 * `peer` is an address and nothing more, whatever names stood in what it sent.
 */
export type SubjectKind = 'agent' | 'person' | 'peer'

export interface Subject {
  readonly kind: SubjectKind
  /** Tenant of the agent; empty where there is none. */
  readonly tenant: string
  readonly issuer: string
  /** Id of the agent or person, or the address. */
  readonly name: string
}

/** Names beside the subject, for whoever reads of it. */
export interface Seen {
  readonly agent: string
  readonly principal: string
  readonly tenant: string
  readonly peer: string
  readonly operation: string
  readonly callId: CallId | ''
}

/** Something happened that a rule looks out for. */
export interface Sighting {
  readonly rule: DetectionName
  readonly subject: Subject
  /** Tells apart what one subject does to different things; empty where that makes no difference. */
  readonly about: string
  readonly seen: Seen
  /** Where somebody else counts, and found enough: how many, and in which time. */
  readonly counted?: { readonly count: number; readonly windowMs: number }
  /** What was seen, in words of ours and names out of closed sets. */
  readonly detail: string
  /** What a lock of each kind would be on; nothing where that is not proven. */
  readonly lockable: readonly Lockable[]
}

export interface Lockable {
  readonly kind: LockTarget
  readonly name: string
  /** Who vouches for the name; empty where nobody has to. */
  readonly issuer: string
}
