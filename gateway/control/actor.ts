/** Through which way somebody acted. */
export type Channel = 'admin' | 'slack' | 'webhook'

/** Somebody who proved who they are: with a token or certificate at the admin listener, or through a channel that vouches. */
export interface Person {
  /** As the issuer names them; compared with principals, so it has to be the same name. */
  readonly id: string
  /** Who vouches: an issuer, a certificate authority's name, `slack:TEAM`. */
  readonly issuer: string
  readonly groups: readonly string[]
  readonly channel: Channel
  /** How they authenticated, for the record: `acr`, `amr`, or `mtls`. */
  readonly authentication: string
}

/**
 * Who asks something of the admin listener. `operator` holds the shared token, or sits at a loopback listener that has
 * none: may look, and pull a lock, but is nobody in particular and so can never approve.
 */
export type Actor =
  | { readonly kind: 'person'; readonly person: Person }
  | { readonly kind: 'operator' }
  /** The gateway itself: an expiry, a detection. */
  | { readonly kind: 'gateway'; readonly part: string }

/** In one word, for people; the record has the rest. */
export function nameOfActor(actor: Actor): string {
  switch (actor.kind) {
    case 'person':
      return actor.person.id
    case 'operator':
      return 'operator'
    case 'gateway':
      return actor.part
  }
}
