/** The client certificate of the connection, or of a trusted peer's forwarded one. */
export interface PeerCertificate {
  /** base64url SHA-256 of the DER, as in `cnf["x5t#S256"]` (RFC 8705 §3.1). */
  readonly x5t: string
  /** URI subject alternative names, such as a SPIFFE ID. */
  readonly uris: readonly string[]
  readonly notAfterMs: number
}

/** Who is at the other end of the connection. */
export interface Peer {
  readonly address: string
  readonly secure: boolean
  readonly certificate: PeerCertificate | undefined
}

/** What admit has to find unused, and then to remember. */
export interface ReplayCheck {
  /** `jkt:sha256(jti)`, never the raw `jti`. */
  readonly key: string
  readonly expiresAtMs: number
}

/** Who calls, for whom, proven how. */
export interface Caller {
  readonly agent: {
    readonly id: string
    readonly issuer: string
    readonly binding: 'dpop' | 'mtls' | 'none'
    /** `jkt` or `x5t#S256`; empty only for `none`. */
    readonly key: string
  }
  readonly principal: {
    readonly id: string
    readonly groups: readonly string[]
    readonly deviceCompliant: boolean
    /** `sub` of each actor, outermost (current) first (RFC 8693 §4.1). */
    readonly act: readonly string[]
  }
  readonly tenant: string
  readonly scopes: readonly string[]
  readonly authorizationDetails: readonly unknown[]
  readonly tokenId: string
  readonly tokenIssuedAtMs: number
  readonly tokenExpiresAtMs: number
  /** Present for DPoP: admit must store it, once, before anything is sent. */
  readonly replay: ReplayCheck | undefined
  /** Sent back as `DPoP-Nonce` when nonces are in use. */
  readonly nextNonce: string | undefined
}
