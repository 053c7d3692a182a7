import type { SecretReference } from './config.ts'
import type { ServiceConfig } from './policy-config.ts'

/** Where the record is copied to as it grows; exactly one of `file`, `webhook`, `syslog`, `s3`. */
export interface ExportConfig {
  /** `entry` is the entry as it stands in the log; `ocsf` an API Activity event for each entry of a call. */
  readonly format: 'entry' | 'ocsf'
  readonly batchEntries: number
  /** JSON Lines are added to it. */
  readonly file: string | undefined
  readonly webhook: WebhookConfig | undefined
  readonly syslog: SyslogConfig | undefined
  readonly s3: S3Config | undefined
}

/** Object storage that speaks the protocol of S3, addressed by path. */
export interface S3Config extends Omit<ServiceConfig, 'token'> {
  readonly region: string
  readonly bucket: string
  readonly prefix: string
  readonly accessKeyId: SecretReference
  readonly secretAccessKey: SecretReference
  /** How long entries are gathered while there are few. */
  readonly gatherMs: number
  readonly objectLock:
    { readonly mode: 'GOVERNANCE' | 'COMPLIANCE'; readonly retentionDays: number } | undefined
}

/** A receiver of RFC 5424 messages. */
export interface SyslogConfig extends Pick<
  ServiceConfig,
  'caFile' | 'clientCertificateFile' | 'clientKeyFile' | 'timeoutMs'
> {
  readonly host: string
  readonly port: number
  readonly tls: boolean
}

export interface WebhookConfig extends ServiceConfig {
  /** Path that entries are posted to, below `url`. */
  readonly resource: string
  /** Of the signature of each request (Standard Webhooks); `whsec_` and base64, or taken as it is. */
  readonly signingSecret: SecretReference | undefined
}
