import type { Access, Environment } from '../catalog/connector.ts'
import type { AdminConfig } from './admin-config.ts'
import type { ApprovalsConfig } from './approvals-config.ts'
import type { AuditConfig } from './audit-config.ts'
import type { NotifyConfig } from './notify-config.ts'
import type { DetectionsConfig } from './detections-config.ts'
import type { DetectorsConfig } from './detectors-config.ts'
import type { LocksConfig } from './locks-config.ts'
import type { PolicyConfig } from './policy-config.ts'
import type { StoreConfig } from './store-config.ts'

/**
 * The configuration after parsing: defaults filled in, secret references resolved to `Secret`s, every number
 * within bounds. Key names are those of toolgate.yaml; durations and sizes carry their unit in the name.
 */
export interface Config {
  readonly listen: ListenConfig
  readonly workers: number
  readonly identity: IdentityConfig
  readonly policy: PolicyConfig
  readonly store: StoreConfig
  readonly limits: LimitsConfig
  readonly breakers: BreakersConfig
  readonly locks: LocksConfig
  readonly connectors: Readonly<Record<string, ConnectorConfig>>
  readonly approvals: ApprovalsConfig
  readonly audit: AuditConfig
  readonly notify: NotifyConfig
  readonly detectors: DetectorsConfig
  readonly detections: DetectionsConfig
  readonly telemetry: TelemetryConfig
}

/** Where a secret is read from (`env:NAME` or `file:/path`); the value is read by its user, so that it can rotate. */
export interface SecretReference {
  readonly source: 'env' | 'file'
  readonly name: string
}

export interface ListenConfig {
  readonly host: string
  readonly port: number
  readonly tls: TlsConfig | undefined
  /** Origins under which callers know this gateway; `htu` is compared with these, never with `Host`. */
  readonly externalOrigins: readonly string[]
  /** Path prefix that a fronting proxy strips; empty for none. */
  readonly externalPathPrefix: string
  readonly admin: AdminConfig
  readonly headerLimitBytes: number
  readonly headersTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  readonly maxConnections: number
  readonly maxCallsInFlight: number
  readonly connectionMaxAgeMs: number
  readonly drain: { readonly graceMs: number; readonly deadlineMs: number }
}

export interface TlsConfig {
  readonly certificateFile: string
  readonly keyFile: string
  readonly clientCaFile: string | undefined
  readonly crlFile: string | undefined
  /** `require` refuses the handshake; `request` lets DPoP callers come without a certificate. */
  readonly clientCertificate: 'none' | 'request' | 'require'
}

export interface IdentityConfig {
  readonly issuers: readonly IssuerConfig[]
  readonly dpop: DpopConfig
  readonly forwardedCertificate: ForwardedCertificateConfig | undefined
  readonly resource: {
    readonly documentation: string | undefined
    readonly scopesSupported: readonly string[]
  }
  readonly dangerouslyAllowUnboundTokens: boolean
}

export type TokenAlgorithm = 'ES256' | 'ES384' | 'EdDSA' | 'Ed25519' | 'PS256' | 'RS256'

export interface IssuerConfig {
  readonly issuer: string
  readonly audiences: readonly string[]
  readonly algorithms: readonly TokenAlgorithm[]
  readonly jwks:
    | {
        readonly uri: string
        readonly cooldownMs: number
        readonly timeoutMs: number
        readonly cacheMaxAgeMs: number
        /** How long keys may be used after the last good fetch while fetching fails. */
        readonly staleIfErrorMs: number
        readonly caFile: string | undefined
      }
    | { readonly file: string }
  /** Claim to read each fact from; a dotted path or a JSON Pointer. */
  readonly claims: ClaimMap
  readonly requiredScopes: readonly string[]
  /** Tenant of every token of this issuer; a token whose claim says another is refused. */
  readonly tenant: string | undefined
  /** Tenants that this issuer speaks for; empty for any, which only an issuer on its own may. */
  readonly tenants: readonly string[]
  readonly clockSkewMs: number
}

export interface ClaimMap {
  readonly agent: string
  readonly principal: string
  readonly tenant: string
  readonly groups: string
  readonly deviceCompliant: string
}

export interface DpopConfig {
  readonly algorithms: readonly TokenAlgorithm[]
  readonly maxAgeMs: number
  readonly maxSkewMs: number
  readonly nonce: 'off' | 'required'
  /** Shared by the fleet; 32 bytes or more. Made at start when absent and `workers` is 1. */
  readonly nonceSecret: SecretReference | undefined
}

export interface ForwardedCertificateConfig {
  readonly header: 'x-forwarded-client-cert' | 'client-cert'
  /** `x5t#S256` values or SPIFFE IDs of peers that may forward. */
  readonly trustedPeers: readonly string[]
  /** Envoy: our own URI as it stands in `By`; required when more than one element can arrive. */
  readonly by: string | undefined
}

export type LimitDimension = 'tenant' | 'agent' | 'principal' | 'connector' | 'operation' | 'access'

export interface LimitMatch {
  readonly connectors: readonly string[]
  readonly operations: readonly string[]
  readonly access: readonly Access[]
  readonly agents: readonly string[]
}

export interface LimitsConfig {
  readonly rates: readonly {
    readonly name: string
    readonly by: readonly LimitDimension[]
    readonly match: LimitMatch
    readonly calls: number
    readonly windowMs: number
    readonly burst: number
  }[]
  readonly quotas: readonly {
    readonly name: string
    readonly by: readonly LimitDimension[]
    readonly match: LimitMatch
    readonly calls: number
    /** UTC days. */
    readonly per: 'day'
  }[]
  readonly concurrency: readonly {
    readonly name: string
    readonly by: readonly LimitDimension[]
    readonly match: LimitMatch
    readonly calls: number
    readonly leaseMs: number
  }[]
}

export interface BreakersConfig {
  readonly upstream: {
    readonly failures: number
    readonly windowMs: number
    readonly openMs: number
    readonly halfOpenCalls: number
  }
  /** Stops an agent after so many failed calls in the window. */
  readonly agent: { readonly failures: number; readonly windowMs: number; readonly openMs: number }
  /** Stops an agent for which so many evaluations of policy failed in the window. */
  readonly policy: { readonly failures: number; readonly windowMs: number; readonly openMs: number }
}

export interface ConnectorConfig {
  /** Overrides the origin of connector.yaml; path allowed as base path. */
  readonly origin: string | undefined
  readonly address: {
    readonly prefix: string | undefined
    readonly hosts: readonly string[]
    readonly port: number | undefined
  }
  readonly credential: CredentialConfig
  /** First match wins; `prefix` values end in `*`. */
  readonly environments: readonly {
    readonly resource: 'project' | 'repository' | 'channel' | 'account'
    readonly value: string
    readonly environment: Environment
  }[]
  readonly environment: Environment
  /** CIDR ranges beyond public addresses that this upstream may resolve to. */
  readonly allowAddresses: readonly string[]
  /** PEM file of the only authorities trusted for this upstream; the well-known ones when absent. */
  readonly caFile: string | undefined
  readonly connections: number
  readonly connectTimeoutMs: number
  readonly replyTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly bodyLimitBytes: number | undefined
  readonly rewriteBodyLinks: boolean
}

export type CredentialConfig =
  | { readonly type: 'none' }
  | { readonly type: 'bearer'; readonly token: SecretReference }
  | { readonly type: 'basic'; readonly username: string; readonly password: SecretReference }
  | { readonly type: 'header'; readonly name: string; readonly value: SecretReference }

export interface TelemetryConfig {
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  /** `stdout`, `stderr` or the path of a file. */
  readonly logDestination: string
}
