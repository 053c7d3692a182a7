import type { Environment } from '../catalog/connector.ts'
import type { OutcomeCode } from '../outcome.ts'
import type {
  ApprovalEntry,
  CheckpointEntry,
  ConfigEntry,
  ChannelEntry,
  LockEntry,
  DetectionEntry,
  OpenEntry,
  PolicyEntry,
  PruneEntry,
  RecoveryEntry,
  SigningKeyEntry,
  StartEntry,
  StopEntry,
  TokenKeyEntry,
} from './change-entry.ts'
import type {
  DeclaredFields,
  DisclosedFields,
  FactFields,
  FindingFields,
  PolicyFields,
  ReasonFields,
  ReplyFields,
  RequestFields,
  ResourceFields,
  UpstreamFields,
  UsedApprovalFields,
  VerdictFields,
  WhatFields,
  WhoFields,
} from './entry-fields.ts'

/**
 * The entries of the audit log, version 1, documented in ENTRIES.md. Each is canonical JSON (RFC 8785): whoever makes
 * one writes its members in the order of their names, which costs nothing where sorting would. Times are UTC with
 * milliseconds. Names of the fields are part of the format: they are added to, never renamed.
 *
 * What a caller sent reaches an entry in five ways only: as an identifier proven by its token, as an id of our own
 * catalogue, as scrubbed and bounded text that the agent declared, as a keyed token (`hmac:…`), or as a salted
 * commitment. The query, header values and bodies are not in it, and nothing in it is a bare hash of them.
 */
export type AuditEntry =
  | StartEntry
  | StopEntry
  | ConfigEntry
  | PolicyEntry
  | TokenKeyEntry
  | SigningKeyEntry
  | DecisionEntry
  | OutcomeEntry
  | ShadowEntry
  | LockEntry
  | ApprovalEntry
  | ChannelEntry
  | DetectionEntry
  | OpenEntry
  | RecoveryEntry
  | CheckpointEntry
  | PruneEntry

/** The intent: on record before the first byte goes upstream. */
export interface DecisionEntry {
  readonly approval?: UsedApprovalFields
  readonly call: string
  /** Version of the upstream credential, never the credential. */
  readonly credential: string
  readonly decision: 'allow'
  readonly declared: DeclaredFields
  readonly disclosed?: DisclosedFields
  readonly environment: Environment
  readonly facts?: FactFields
  /** In the request; absent when nothing was found. */
  readonly findings?: FindingFields
  /** Of the locks that the call was checked against last. */
  readonly lock_epoch?: number
  readonly obligations: readonly string[]
  readonly policy: PolicyFields
  readonly reasons: readonly ReasonFields[]
  /** When the call arrived, which is the time that policy was given. */
  readonly received: string
  /** Of rules in report mode, which denied nothing; absent when there are none. */
  readonly reported?: readonly ReasonFields[]
  readonly request: RequestFields
  readonly resource: ResourceFields
  readonly risk: number
  readonly time: string
  readonly trace: string
  readonly type: 'decision'
  readonly v: 1
  readonly what: WhatFields
  readonly who: WhoFields
}

/**
 * How a call ended. After a `decision` entry it says only that; a call that was refused before it has this one entry,
 * which then carries everything that was known by then. `unknown` is written at the next start for a call whose
 * process died between the two.
 */
export interface OutcomeEntry {
  readonly call: string
  readonly declared?: DeclaredFields
  readonly detail?: string
  readonly disclosed?: DisclosedFields
  readonly environment?: Environment
  /** For `unknown`: the epoch that holds the decision entry. */
  readonly epoch?: string
  readonly facts?: FactFields
  /** In the request. */
  readonly findings?: FindingFields
  readonly ms?: number
  /** Those that were carried out. */
  readonly obligations?: readonly string[]
  readonly outcome: OutcomeCode | 'unknown'
  readonly peer?: string
  readonly policy?: PolicyFields
  readonly reasons?: readonly ReasonFields[]
  readonly received?: string
  /** Values of the answer that were redacted; absent when none were. */
  readonly redacted?: number
  readonly reported?: readonly ReasonFields[]
  readonly reply?: ReplyFields
  /** In the answer; absent when nothing was found. */
  readonly reply_findings?: FindingFields
  readonly resource?: ResourceFields
  /** What policy made of the call, where it was asked. */
  readonly risk?: number
  /** Sent to the caller; 0 when no answer could be sent. */
  readonly status: number
  readonly time: string
  readonly trace?: string
  readonly type: 'outcome'
  readonly upstream?: UpstreamFields
  readonly v: 1
  readonly what?: WhatFields
  readonly who?: WhoFields
}

/** A shadow policy decides a call otherwise than the live one did; it is the live one's decision that counts. */
export interface ShadowEntry {
  readonly call: string
  readonly kind: 'allow_to_deny' | 'deny_to_allow' | 'changed' | 'error'
  readonly live: VerdictFields
  /** Ids of the rules that deny in the shadow alone. */
  readonly rules_added: readonly string[]
  /** Ids of the rules that deny in the live policy alone. */
  readonly rules_dropped: readonly string[]
  readonly shadow: VerdictFields
  readonly time: string
  readonly type: 'shadow'
  readonly v: 1
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
  'stop',
  'config',
  'policy',
  'key',
  'decision',
  'outcome',
  'shadow',
  'lock',
  'approval',
  'channel',
  'detection',
  'open',
  'recovery',
  'checkpoint',
  'prune',
])

/** The log is our own and checksummed, so the type tells the shape. */
function isEntry(parsed: unknown): parsed is AuditEntry {
  return typeof parsed === 'object' && parsed !== null && 'type' in parsed && TYPES.has(parsed.type)
}
