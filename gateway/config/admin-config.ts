import type { IssuerConfig, SecretReference, TlsConfig } from './config.ts'

/** The listener for operators, people and channels. */
export interface AdminConfig {
  readonly host: string
  readonly port: number
  /** Shared by operators: shows metrics, state and configuration, and may set locks. */
  readonly token: SecretReference | undefined
  /** Origins by which people reach it, beside this machine's own names: proofs and browsers are held to these. */
  readonly externalOrigins: readonly string[]
  readonly tls: TlsConfig | undefined
  readonly people: PeopleConfig
}

/** How people prove who they are: nobody can where both lists are empty. */
export interface PeopleConfig {
  readonly issuers: readonly PeopleIssuerConfig[]
  readonly certificates: readonly CertifiedPerson[]
  /** Members may see metrics, state and configuration, as operators do. */
  readonly operatorGroups: readonly string[]
  /** Names of people whose answers to approvals count no more, through whatever channel, and whoever vouches for them. */
  readonly barred: readonly string[]
}

/** An issuer of people's access tokens for this listener; never of those that agents call with. */
export interface PeopleIssuerConfig extends Pick<
  IssuerConfig,
  'issuer' | 'audiences' | 'algorithms' | 'jwks' | 'requiredScopes' | 'clockSkewMs'
> {
  readonly claims: { readonly id: string; readonly groups: string }
}

/** Whose certificate it is; exactly one of `uri` and `subject` says which. */
export interface CertifiedPerson {
  readonly uri: string | undefined
  /** RFC 4514 text of the whole subject. */
  readonly subject: string | undefined
  /** Compared with principals, so it has to be the name that issuers give, too. */
  readonly id: string
  readonly groups: readonly string[]
}
