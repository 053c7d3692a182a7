import type { SecretReference } from './config.ts'

export type FailureMode = 'open' | 'closed' | 'local'

export type StoreKind = 'embedded' | 'redis'

export interface StoreConfig {
  /** Of what calls count. */
  readonly kind: StoreKind
  /** Of what people decide: locks, approvals; `kind` where it is left out, see `controlKindOf`. */
  readonly controlKind: StoreKind | undefined
  /** SQLite file of the embedded control state, shared by the workers of one machine. */
  readonly controlFile: string
  readonly redis: RedisConfig | undefined
  /** What a call gets when the store cannot answer; `local` counts in this process with a share of each limit. */
  readonly onFailure: { readonly read: FailureMode; readonly write: FailureMode }
}

export interface RedisConfig {
  readonly url: string
  readonly password: SecretReference | undefined
  readonly sentinels: readonly { readonly host: string; readonly port: number }[]
  readonly sentinelName: string | undefined
  readonly timeoutMs: number
  readonly keyPrefix: string
  readonly caFile: string | undefined
  /** How many gateways share the limits: each takes `1 / shares` when it must count alone. */
  readonly shares: number
  /** How many replicas have to have a change of control state before it counts as kept; 0 asks none. */
  readonly replicas: number
}

export function controlKindOf({ kind, controlKind }: StoreConfig): StoreKind {
  return controlKind ?? kind
}
