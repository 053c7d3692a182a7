import type { PiiName } from '../detectors/findings.ts'

/** What the detectors look for, where, and in how much of it. */
export interface DetectorsConfig {
  readonly secrets: DetectorSides & {
    /** Long random-looking runs, whatever they are: finds unknown credentials, and much else. */
    readonly entropy: boolean
  }
  readonly pii: DetectorSides & { readonly kinds: readonly PiiName[] }
  readonly injection: DetectorSides
  /** Of one body that is looked at. */
  readonly requestLimitBytes: number
  readonly responseLimitBytes: number
}

export interface DetectorSides {
  readonly request: boolean
  readonly response: boolean
}
