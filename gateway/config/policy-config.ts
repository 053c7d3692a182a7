/** Where policy comes from and what it may cost. */
export interface PolicyConfig {
  readonly bundle: string
  readonly watch: boolean
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
