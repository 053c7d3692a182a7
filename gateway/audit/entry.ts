import type { Access, DataClass, Environment } from '../catalog/connector.ts'
import type { OutcomeCode } from '../exchange.ts'

/**
 * The entries of the audit log, version 1: compact JSON, keys in the order written here, times in UTC with
 * milliseconds. Names of the fields are part of the format: they are added to, never renamed.
 *
 * What a caller sent reaches an entry in four ways only: as an identifier proven by its token, as an id of our own
 * catalogue, as scrubbed and bounded text that the agent declared, or as a keyed token (`hmac:…`). The query, header
 * values and bodies are not in it, and nothing in it is a bare hash of them.
 */
export type AuditEntry = StartEntry | DecisionEntry | OutcomeEntry | OpenEntry | RecoveryEntry

/** The first entry of every epoch. */
interface StartEntry {
  readonly v: 1
  readonly type: 'start'
  readonly time: string
  readonly node: string
  readonly epoch: string
  readonly gateway: string
}

/** Who called, for whom. */
export interface WhoFields {
  readonly agent: string
  readonly issuer: string
  readonly binding: 'dpop' | 'mtls' | 'none'
  /** Thumbprint of the key that was proven. */
  readonly key: string
  readonly principal: string
  readonly act: readonly string[]
  readonly tenant: string
  readonly token: string
}

/** What was to be done. */
export interface WhatFields {
  readonly connector: string
  readonly operation: string
  readonly access: Access
  readonly method: string
  /** Commitment to the path parameters; empty when the operation has none. */
  readonly params: string
}

/** On what, as the connector's pointers found it; what does not look like a name is a keyed token. */
export interface ResourceFields {
  readonly project: string
  readonly repository: string
  readonly channel: string
  /** Always a keyed token. */
  readonly account: string
  readonly amount: number
  readonly currency: string
}

/** What the agent says of its own call. */
export interface DeclaredFields {
  readonly task: string
  readonly ticket: string
  readonly rationale: string
  /** Commitment to the plan; empty when there is none. */
  readonly rollback_plan: string
}

/** What rules could read beside the rest; with it a decision can be explained and made again. */
export interface FactFields {
  /** Absent when there are too many to be recorded whole. */
  readonly groups?: readonly string[]
  readonly device_compliant: boolean
  /** Absent when there are too many to be recorded whole. */
  readonly scopes?: readonly string[]
  /** How many. */
  readonly authorization_details: number
  readonly risk: number
  readonly data_class: DataClass
  readonly reversible: boolean
  readonly truncated: boolean
  readonly calls_1m: number
  readonly denials_10m: number
  readonly errors_1h: number
  readonly writes_task: number
  readonly first_use: boolean
  /** Absent when there are too many to be recorded whole. */
  readonly operations_task?: readonly string[]
  /** Absent when there are too many to be recorded whole. */
  readonly operations_1h?: readonly string[]
  readonly data_classes_task?: readonly DataClass[]
}

export interface ReasonFields {
  readonly code: string
  readonly rule: string
  readonly detail: string
}

/** The intent: on record before the first byte goes upstream. */
export interface DecisionEntry {
  readonly v: 1
  readonly type: 'decision'
  readonly call: string
  readonly time: string
  /** When the call arrived, which is the time that policy was given. */
  readonly received: string
  readonly trace: string
  readonly who: WhoFields
  readonly what: WhatFields
  readonly resource: ResourceFields
  readonly environment: Environment
  readonly decision: 'allow'
  readonly risk: number
  readonly reasons: readonly ReasonFields[]
  readonly obligations: readonly string[]
  readonly policy: { readonly digest: string; readonly revision: string }
  readonly facts?: FactFields
  readonly declared: DeclaredFields
  /** Version of the upstream credential, never the credential. */
  readonly credential: string
  readonly request: { readonly kind: string; readonly bytes: number; readonly digest: string }
}

/**
 * How a call ended. After a `decision` entry it says only that; a call that was refused before it has this one entry,
 * which then carries everything that was known by then. `unknown` is written at the next start for a call whose
 * process died between the two.
 */
export interface OutcomeEntry {
  readonly v: 1
  readonly type: 'outcome'
  readonly call: string
  readonly time: string
  readonly outcome: OutcomeCode | 'unknown'
  /** Sent to the caller; 0 when no answer could be sent. */
  readonly status: number
  readonly upstream?: { readonly status: number; readonly ms: number }
  readonly reply?: { readonly bytes: number; readonly digest: string }
  readonly ms?: number
  readonly detail?: string
  readonly reasons?: readonly ReasonFields[]
  readonly received?: string
  readonly trace?: string
  readonly peer?: string
  readonly who?: WhoFields
  readonly what?: WhatFields
  readonly resource?: ResourceFields
  readonly environment?: Environment
  readonly policy?: { readonly digest: string; readonly revision: string }
  /** What policy made of the call, where it was asked. */
  readonly risk?: number
  readonly facts?: FactFields
  readonly declared?: DeclaredFields
  /** For `unknown`: the epoch that holds the decision entry. */
  readonly epoch?: string
}

/** Calls with a decision and no outcome yet, repeated at the head of each new segment. */
interface OpenEntry {
  readonly v: 1
  readonly type: 'open'
  readonly time: string
  readonly calls: readonly string[]
}

/** What was found of an epoch whose process ended. */
interface RecoveryEntry {
  readonly v: 1
  readonly type: 'recovery'
  readonly time: string
  readonly node: string
  readonly epoch: string
  readonly sealed: boolean
  readonly torn_bytes: number
  readonly in_doubt: number
}

export function encodeEntry(entry: AuditEntry): Buffer {
  return Buffer.from(JSON.stringify(entry))
}

/** Reads an entry that this gateway, or an earlier one, wrote; `undefined` when it is none of ours. */
export function decodeEntry(bytes: Buffer): AuditEntry | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
  return isEntry(parsed) ? parsed : undefined
}

const TYPES: ReadonlySet<unknown> = new Set<AuditEntry['type']>([
  'start',
  'decision',
  'outcome',
  'open',
  'recovery',
])

/** The log is our own and checksummed, so the type tells the shape. */
function isEntry(parsed: unknown): parsed is AuditEntry {
  return typeof parsed === 'object' && parsed !== null && 'type' in parsed && TYPES.has(parsed.type)
}
