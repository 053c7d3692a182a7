import type { SecretReference } from './config.ts'
import type { DecisionLogConfig, StatusReportsConfig } from './decision-log-config.ts'

/** Where one bundle comes from, and what it is believed for. */
export interface BundleConfig {
  /** A file; not read where there is a `service`. */
  readonly bundle: string | undefined
  readonly service: BundleServiceConfig | undefined
  /** How the bundle is signed; it is not believed unsigned then. */
  readonly verification: VerificationConfig | undefined
  /** Paths that the roots of its manifest have to lie below; `undefined` for wherever no other bundle is. */
  readonly roots?: readonly string[] | undefined
}

export interface ShadowConfig extends BundleConfig {
  /** Share of the calls, above 0. */
  readonly sample: number
}

/** Where policy comes from and what it may cost. */
export interface PolicyConfig extends BundleConfig {
  readonly bundle: string
  /** Look for other bundles while running, in the files or at the services. */
  readonly watch: boolean
  /** Bundles of data alone, by name, merged into that of the rules. */
  readonly data: Readonly<Record<string, BundleConfig>>
  /** A bundle of rules that decides calls a second time, for information alone. */
  readonly shadow: ShadowConfig | undefined
  readonly timeZone: string
  readonly businessHours: {
    readonly days: readonly string[]
    readonly fromHour: number
    readonly toHour: number
  }
  readonly memoryLimitPages: number
  readonly isolation: PolicyIsolation
  /** How long one evaluation may take: counted when it takes longer, ended where there is isolation. */
  readonly budgetMs: number
  /** What this gateway is called in what it reports, beside `id` and `version`. */
  readonly labels: Readonly<Record<string, string>>
  readonly decisionLog: DecisionLogConfig | undefined
  readonly status: StatusReportsConfig | undefined
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

/** Where policy is evaluated: in the thread of the calls, or in one of its own that can be ended. */
export type PolicyIsolation = 'none' | 'worker'

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
