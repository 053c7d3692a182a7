import type { Entrance } from '../config/entrance.ts'
import type { DialectName } from '../dialects/dialect.ts'

export type Access = 'read' | 'write' | 'execute'
export type DataClass = 'public' | 'internal' | 'confidential' | 'restricted'
export type Environment = 'production' | 'staging' | 'development' | 'unknown'

/** One thing an upstream can do, from the vendor's own catalogue plus our overrides. */
export interface Operation {
  /** `<connector>.<vendor's own operation id>`, such as `github.pulls/get`. */
  readonly id: string
  readonly connector: string
  readonly method: string
  /** Path template, such as `/repos/{owner}/{repo}/pulls/{pull_number}`. */
  readonly template: string
  readonly access: Access
  /** 0 to 10, before anything is known of the call. */
  readonly risk: number
  readonly dataClass: DataClass
  readonly reversible: boolean
  /** Set where the vendor serves the operation from another host (GitHub release assets); else the connector's. */
  readonly origin?: string
}

/** What is acted upon can be named after a person, such as a direct message. */
export type SensitiveResource = 'project' | 'repository' | 'channel'

/** One upstream API, as its folder and the configuration describe it. */
export interface Connector {
  readonly name: string
  /** Scheme, host and port of the upstream, such as `https://api.github.com`; no path. */
  readonly origin: string
  /** Raw path put before every forwarded path; empty for most. */
  readonly basePath: string
  readonly dialect: DialectName
  readonly bodyLimitBytes: number
  /** Path prefix callers use by default, such as `/github`; a configured address may replace it. */
  readonly prefix: string
  /** Header names, in lower case, that pass beyond those every connector passes. */
  readonly headers: { readonly request: readonly string[]; readonly response: readonly string[] }
  /** Hosts the gateway itself may follow a redirect to, never with the credential: see `redirectAllowed`. */
  readonly redirectHosts: readonly string[]
  readonly links: {
    /** Rewrite the `Link` header. */
    readonly header: boolean
    /** Rewrite absolute URLs inside JSON bodies; off unless configured, because it costs a pass over the body. */
    readonly body: boolean
    /** Absolute origins of the vendor that stand for this connector in links. */
    readonly origins: readonly string[]
  }
  /** Names under which this vendor accepts a credential outside `Authorization`: a call that has one is refused. */
  readonly credentialParameters: { readonly query: readonly string[]; readonly body: readonly string[] }
  /** What stands in the record as a keyed token only, beside the account, which always does. */
  readonly sensitiveResources: readonly SensitiveResource[]
}

/** Which connector a request names, by prefix, host or port, and the raw path below that address. */
export interface Addressed {
  readonly connector: Connector
  /** Raw path as the upstream shall see it (prefix removed), not yet checked; begins with `/`. */
  readonly upstreamPath: string
  /** How it was named; a proof has to be made for an origin of this way in. */
  readonly entrance: Entrance
}
