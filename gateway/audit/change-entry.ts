import type {
  ActorFields,
  BundleFields,
  DetectionLockFields,
  PolicyFields,
  PrunedLogFields,
  SubjectFields,
} from './entry-fields.ts'

/** The first entry of every epoch. */
export interface StartEntry {
  readonly epoch: string
  readonly gateway: string
  /** Verifier key of the checkpoints of this epoch. */
  readonly key: string
  readonly node: string
  readonly time: string
  readonly type: 'start'
  readonly v: 1
}

/** The last entry of an epoch that was not cut short. */
export interface StopEntry {
  /** Calls without an outcome on record; the next start finds them in doubt. */
  readonly open_calls: number
  readonly time: string
  readonly type: 'stop'
  readonly v: 1
}

/** Which configuration decides from here on, or which one was turned down. */
export interface ConfigEntry {
  /** What the digest of the policy is made of, where that is more than one bundle. */
  readonly bundles?: readonly BundleFields[]
  /** Top-level sections that differ from those before; empty at a start. */
  readonly changed?: readonly string[]
  /** Why it was turned down, where that has no path. */
  readonly detail?: string
  /** SHA-256 of the effective configuration as `toolgate config` prints it, secrets as references, in RFC 8785 form. */
  readonly digest?: string
  /** The bundle in force with it. */
  readonly policy?: PolicyFields
  /** Paths of what is wrong. */
  readonly problems?: readonly string[]
  readonly state: 'loaded' | 'rejected'
  readonly time: string
  readonly type: 'config'
  readonly v: 1
}

/** Another bundle took over while the gateway ran, or could not. */
export interface PolicyEntry {
  /** Name of the bundle that was turned down. */
  readonly bundle?: string
  /** What the digest is made of, where that is more than one bundle. */
  readonly bundles?: readonly BundleFields[]
  /** Why it was turned down. */
  readonly detail?: string
  readonly digest?: string
  /** Which check it failed. */
  readonly problem?: string
  readonly revision?: string
  readonly state: 'activated' | 'rejected'
  readonly time: string
  readonly type: 'policy'
  readonly v: 1
}

/** Another key makes the keyed tokens of the entries from here on. */
export interface TokenKeyEntry {
  /** Id of the key before. */
  readonly before: string
  /** Id of the key, as it stands in tokens. */
  readonly id: string
  readonly time: string
  readonly type: 'key'
  readonly use: 'token'
  readonly v: 1
}

/** Another key signs the checkpoints of this log and of those that begin after it. */
export interface SigningKeyEntry {
  /** Verifier key of the one before, as the handover names it; empty without one. */
  readonly before: string
  /** Verifier key of the one that signs now. */
  readonly id: string
  /** The handover, a note that both keys signed; empty where the key was changed without one. */
  readonly note: string
  readonly time: string
  readonly type: 'key'
  readonly use: 'signing'
  readonly v: 1
}

/** A kill switch came into force or ended, or somebody wanted it to. */
export interface LockEntry {
  readonly by: ActorFields
  /** When it ends by itself; absent where it does not. */
  readonly expires?: string
  /** Id of the lock. */
  readonly lock: string
  /** The newest change of the locks when this was written. */
  readonly lock_epoch: number
  /** Given for this change. */
  readonly reason: string
  readonly release: 'anyone' | 'another-person'
  readonly scope: string
  /**
   * `released` is written before the lock ends, and `release_failed` after it where it then did not: the record never
   * claims less than what was done. `restored`: the store had forgotten the lock, and was given it again.
   */
  readonly state: 'set' | 'released' | 'release_failed' | 'release_requested' | 'expired' | 'restored'
  readonly time: string
  /** It stops only tokens issued before. */
  readonly tokens_before?: string
  readonly type: 'lock'
  readonly v: 1
  /** It stops only what changes something. */
  readonly writes_only: boolean
}

/** Somebody wanted something through a channel that they may not; the channel vouches for who it was. */
export interface ChannelEntry {
  readonly by: ActorFields
  /** What they wanted: the command as it was typed, scrubbed; empty for a click. */
  readonly detail: string
  /** `not_entitled`: in no group that may; `foreign`: from another workspace, app or guest. */
  readonly result: 'not_entitled' | 'foreign'
  readonly time: string
  readonly type: 'channel'
  readonly v: 1
}

/** Something happened to an approval or a review. Written by the process whose change it was. */
export interface ApprovalEntry {
  readonly agent: string
  /** Id of the approval. */
  readonly approval: string
  /** Who answered, or took it back; absent where nobody did, or the agent or the gateway. */
  readonly by?: ActorFields
  /** The call that was held first; for `consumed` the one that was made. */
  readonly call: string
  /** What they said to it. */
  readonly comment?: string
  /** Why a vote was refused; who took it back. */
  readonly detail?: string
  readonly groups: readonly string[]
  readonly kind: 'approval' | 'review'
  /** How many people have to say yes. */
  readonly needed: number
  readonly operation: string
  readonly principal: string
  readonly risk: number
  /** Of a vote that was refused: commitment to the digest that it carried. */
  readonly saw?: string
  /** Commitment to the digest of what people are shown. */
  readonly shown: string
  readonly state:
    | 'requested'
    | 'voted'
    | 'vote_refused'
    | 'escalated'
    | 'approved'
    | 'denied'
    | 'expired'
    | 'revoked'
    | 'consumed'
  readonly task: string
  readonly tenant: string
  readonly time: string
  readonly type: 'approval'
  readonly v: 1
  readonly verdict?: 'approve' | 'deny'
}

/** Something was seen that people should look at. */
export interface DetectionEntry {
  /** Of the call that made it enough. */
  readonly agent?: string
  /** Sightings in the window that led to it. */
  readonly count: number
  readonly detail: string
  /** What it may mean; absent in entries that are older than this field. */
  readonly hypothesis?: string
  /** UUIDv7. */
  readonly id: string
  /** The call that made it enough; absent where it was no call. */
  readonly last_call?: string
  /** Absent where none was wanted. */
  readonly lock?: DetectionLockFields
  /** What to do first; absent as `hypothesis` is. */
  readonly next_step?: string
  readonly operation?: string
  readonly peer?: string
  readonly principal?: string
  /** Name of the rule, out of the closed set. */
  readonly rule: string
  readonly severity: 'info' | 'warning' | 'error' | 'critical'
  readonly subject: SubjectFields
  /** Sightings since the last one of the same, of which nothing was said. */
  readonly suppressed: number
  readonly tenant?: string
  readonly time: string
  readonly type: 'detection'
  readonly v: 1
  readonly window_ms: number
}

/** Calls with a decision and no outcome yet, repeated at the head of each new segment. */
export interface OpenEntry {
  readonly calls: readonly string[]
  readonly time: string
  readonly type: 'open'
  readonly v: 1
}

/** What was found of an epoch whose process ended. */
export interface RecoveryEntry {
  readonly epoch: string
  readonly in_doubt: number
  readonly node: string
  readonly sealed: boolean
  readonly time: string
  readonly torn_bytes: number
  readonly type: 'recovery'
  readonly v: 1
}

/** What a log of the fleet has committed to; in the fleet log alone. */
export interface CheckpointEntry {
  /** The signed checkpoint, as it was published. */
  readonly note: string
  readonly time: string
  readonly type: 'checkpoint'
  readonly v: 1
}

/** Logs that were removed because they were older than they had to be kept; written before they went. */
export interface PruneEntry {
  readonly logs: readonly PrunedLogFields[]
  readonly time: string
  readonly type: 'prune'
  readonly v: 1
}
