import type { ExportConfig } from './export-config.ts'
import type { WitnessesConfig } from './witness-config.ts'

export interface AuditConfig {
  readonly directory: string
  /** When an intent counts as on record: `flushed` is handed to the operating system, `strict` is fsynced. */
  readonly durability: { readonly read: 'flushed' | 'strict'; readonly write: 'flushed' | 'strict' }
  readonly segmentLimitBytes: number
  /** First part of the name of every log, and name of the key that signs them. */
  readonly deployment: string
  /** PKCS #8 in PEM; in `directory` when it is left out, and made at the first start. */
  readonly signingKeyFile: string | undefined
  readonly checkpointIntervalMs: number
  readonly idleCheckpointIntervalMs: number
  /** What `toolgate audit prune` keeps of the log. */
  readonly retentionDays: number
  readonly disclosures: DisclosuresConfig
  /** Where it is copied to as it grows, by name. */
  readonly exports: Readonly<Record<string, ExportConfig>>
  /** Absent when nobody witnesses the fleet log. */
  readonly witnesses: WitnessesConfig | undefined
}

/** Where that is kept what entries only commit to: policy inputs and what agents declared. */
export interface DisclosuresConfig {
  readonly enabled: boolean
  readonly directory: string
  /** 32 bytes, made at the first start; not in `directory`, so that a copy of that is of no use without it. */
  readonly keyFile: string
  /** What `toolgate audit prune` keeps. */
  readonly retentionDays: number
}
