export interface WitnessesConfig {
  /** How many have to cosign a checkpoint before it is published as cosigned. */
  readonly quorum: number
  readonly each: readonly WitnessConfig[]
}

export interface WitnessConfig {
  /** Verifier key of the witness, type 0x04. */
  readonly key: string
  /** Its submission prefix: http(s) origin, with a base path if need be. */
  readonly url: string
  readonly caFile: string | undefined
  readonly timeoutMs: number
}
