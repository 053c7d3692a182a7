import type { SecretReference } from './config.ts'

/** Where policy comes from and what it may cost. */
export interface PolicyConfig {
  /** A file; not read where there is a `service`. */
  readonly bundle: string
  /** Look for another bundle while running, in the file or at the service. */
  readonly watch: boolean
  readonly service: BundleServiceConfig | undefined
  readonly timeZone: string
  readonly businessHours: {
    readonly days: readonly string[]
    readonly fromHour: number
    readonly toHour: number
  }
  readonly memoryLimitPages: number
  /** How bundles are signed; none is believed unsigned then. */
  readonly verification: VerificationConfig | undefined
}

/** A service of a control plane, and how to be somebody to it. */
export interface ServiceConfig {
  /** http(s) origin, with a base path if need be. */
  readonly url: string
  /** How long one answer may take. */
  readonly timeoutMs: number
  readonly token: SecretReference | undefined
  readonly clientCertificateFile: string | undefined
  readonly clientKeyFile: string | undefined
  readonly caFile: string | undefined
}

/** Service that bundles are fetched from, as OPA would; the wait of a long poll does not count to `timeoutMs`. */
export interface BundleServiceConfig extends ServiceConfig {
  /** Path of the bundle below `url`, without a slash at its beginning. */
  readonly resource: string
  readonly pollMinMs: number
  readonly pollMaxMs: number
  /** How long the service may hold a request where it says that it can. */
  readonly longPollMs: number | undefined
  readonly maxBytes: number
  /** Where the last good bundle is kept for a start while the service is away. */
  readonly directory: string
}

export type BundleAlgorithm = 'ES256' | 'ES384' | 'EdDSA' | 'PS256' | 'RS256'

export interface VerificationConfig {
  /** PEM public key or certificate. */
  readonly keyFile: string
  readonly algorithm: BundleAlgorithm
  /** What the bundle has to be signed for; empty as `opa sign` leaves it. */
  readonly scope: string
  /** Name of the key, which the signature then has to give as well. */
  readonly keyId: string | undefined
}
