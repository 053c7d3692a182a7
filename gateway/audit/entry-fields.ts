import type { Access, DataClass } from '../catalog/connector.ts'
import type { Phase } from '../catalog/phase.ts'

/** Who called, for whom. */
export interface WhoFields {
  readonly act: readonly string[]
  readonly agent: string
  readonly binding: 'dpop' | 'mtls' | 'none'
  readonly issuer: string
  /** Thumbprint of the key that was proven. */
  readonly key: string
  readonly principal: string
  readonly tenant: string
  readonly token: string
}

/** Who asked something of the gateway itself. */
export interface ActorFields {
  /** How a person authenticated: `acr`, `amr` or `mtls`. */
  readonly authentication?: string
  readonly channel?: 'admin' | 'slack' | 'webhook'
  /** Of a person, as their issuer names them. */
  readonly id?: string
  /** Who vouches for a person. */
  readonly issuer?: string
  readonly kind: 'person' | 'operator' | 'gateway'
  /** Of the gateway. */
  readonly part?: string
}

/** What people answered to this call, and it used up. */
export interface UsedApprovalFields {
  /** Those who said yes, as their issuers name them. */
  readonly approvers: readonly string[]
  readonly id: string
}

/** What was to be done. */
export interface WhatFields {
  readonly access: Access
  readonly connector: string
  readonly method: string
  readonly operation: string
  /** Commitment to the path parameters, empty when the operation has none; absent where `disclosed` covers them. */
  readonly params?: string
}

/** On what, as the connector's pointers found it; what does not look like a name is a keyed token. */
export interface ResourceFields {
  /** Always a keyed token. */
  readonly account: string
  readonly amount: number
  readonly channel: string
  readonly currency: string
  readonly project: string
  readonly repository: string
}

/** What the agent says of its own call. */
export interface DeclaredFields {
  /** Absent where `disclosed` covers it. */
  readonly rationale?: string
  /** Commitment to the plan, empty when there is none; absent where `disclosed` covers it. */
  readonly rollback_plan?: string
  readonly task: string
  readonly ticket: string
}

/** Commitments to what is kept apart, encrypted, and can be forgotten: see disclosures/salted.ts. */
export interface DisclosedFields {
  /** What the agent declared, word for word; absent when it declared nothing. */
  readonly declared?: string
  /** The input of the decision without what the other two cover; absent when policy was not asked. */
  readonly input?: string
  /** What rules could read of the parameters, and the digest of the body. */
  readonly params?: string
}

/** What rules could read beside the rest; with it a decision can be explained. Absent where `disclosed` covers it. */
export interface FactFields {
  /** How many. */
  readonly authorization_details: number
  readonly calls_1m: number
  readonly data_class: DataClass
  readonly data_classes_1h?: readonly DataClass[]
  readonly data_classes_task?: readonly DataClass[]
  readonly denials_10m: number
  readonly device_compliant: boolean
  readonly errors_1h: number
  readonly findings?: FindingFields
  readonly first_use: boolean
  /** Absent when there are too many to be recorded whole. */
  readonly groups?: readonly string[]
  /** Absent when there are too many to be recorded whole. */
  readonly operations_1h?: readonly string[]
  /** Absent when there are too many to be recorded whole. */
  readonly operations_task?: readonly string[]
  /** Absent in entries that are older than phases. */
  readonly phase?: Phase
  readonly reversible: boolean
  readonly risk: number
  /** Absent when there are too many to be recorded whole. */
  readonly scopes?: readonly string[]
  /** Of the agent before the call, in the currency of its amount; 0 for a call without one. */
  readonly spend_day?: number
  readonly spend_task?: number
  readonly truncated: boolean
  readonly writes_task: number
}

/** Names of what the detectors found, never what it was. */
export interface FindingFields {
  readonly injection: readonly string[]
  readonly pii: readonly string[]
  readonly secrets: readonly string[]
}

export interface ReasonFields {
  readonly code: string
  readonly detail: string
  readonly rule: string
}

/** The bundle that decided. */
export interface PolicyFields {
  readonly digest: string
  readonly revision: string
}

/** What one of two policies made of a call. */
export interface VerdictFields {
  readonly digest: string
  readonly effect: 'allow' | 'deny' | 'hold' | 'error'
  /** Code of the refusal that stood in for a decision. */
  readonly error?: string
  readonly obligations?: readonly string[]
  readonly reasons?: readonly ReasonFields[]
  readonly reported?: readonly ReasonFields[]
  readonly revision: string
  readonly risk?: number
}

/** One of several bundles that make a policy together. */
export interface BundleFields {
  readonly digest: string
  readonly name: string
  readonly revision: string
}

/** The body, of which only a commitment is on record. */
export interface RequestFields {
  readonly bytes: number
  readonly digest: string
  readonly kind: string
}

export interface UpstreamFields {
  readonly ms: number
  readonly status: number
}

export interface ReplyFields {
  readonly bytes: number
  readonly digest: string
}

/** Whom a detection is about. */
export interface SubjectFields {
  /** Empty for an address. */
  readonly issuer: string
  readonly kind: 'agent' | 'person' | 'peer'
  readonly name: string
  /** Empty where it has none. */
  readonly tenant: string
}

/** A lock that a detection set. */
export interface DetectionLockFields {
  readonly id: string
  readonly scope: string
}

/** A log that was removed, and what it had committed to. */
export interface PrunedLogFields {
  readonly epoch: string
  readonly node: string
  /** Of its last checkpoint, in base64; empty when it had none. */
  readonly root: string
  /** Entries that this covered. */
  readonly size: number
}
