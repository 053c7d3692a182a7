import type { Verdict } from '../refusal.ts'

/** On whose behalf a credential is asked for; providers that mint per agent or tenant use it. */
interface CredentialContext {
  readonly connector: string
  readonly tenant: string
  readonly agent: string
  readonly principal: string
}

/** What the gateway itself shows to an upstream. */
export interface UpstreamCredential {
  /** Puts the credential into a flat name, value list, in place of any header of the same name. */
  apply(headers: string[]): void
  /** Milliseconds since the epoch; `undefined` when it does not say. */
  readonly expiresAtMs: number | undefined
  /** Goes on record instead of the credential; empty when there is none. */
  readonly version: string
}

export interface CredentialProvider {
  /** A value at hand is answered at once; a promise only where one has to be fetched. */
  get(context: CredentialContext): Verdict<UpstreamCredential> | Promise<Verdict<UpstreamCredential>>
}

/** What operators may see of a credential. */
export interface CredentialHealth {
  readonly connector: string
  readonly available: boolean
  readonly version: string
  readonly ageMs: number
}
