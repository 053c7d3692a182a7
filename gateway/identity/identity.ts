import { randomBytes } from 'node:crypto'
import type { Entrance } from '../config/entrance.ts'
import type { Received } from '../exchange.ts'
import type { Clock } from '../lib/clock.ts'
import type { Verdict } from '../refusal.ts'
import { createTokenVerifier } from './access-token.ts'
import { createBindingCheck } from './binding.ts'
import { createChallenge } from './challenge.ts'
import type { ChallengeContext } from './challenge.ts'
import { MIN_NONCE_KEY_BYTES, createDpopNonces } from './dpop-nonce.ts'
import { createProofCheck } from './dpop-proof.ts'
import { createTargetCheck } from './dpop-target.ts'
import { fetchJson } from './fetch-json.ts'
import type { FetchJson } from './fetch-json.ts'
import { createCertificateOfCaller } from './forwarded-certificate.ts'
import type { CertificateOfCaller } from './forwarded-certificate.ts'
import type { IdentityEvents, KeyStatus } from './key-source.ts'
import { schemeOf } from './presented.ts'
import type { TokenProving } from './prove-token.ts'
import type { ResourceConfig } from './resource-metadata.ts'
import { openIssuers } from './trusted-issuers.ts'

export interface IdentityDependencies {
  readonly clock: Clock
  readonly events: IdentityEvents
  /** Where callers reach the gateway, by way in: what `htu` is compared with; see `originsByEntrance`. */
  readonly origins: ReadonlyMap<Entrance, readonly string[]>
  /** Node's own https client where absent. */
  readonly fetchJson?: FetchJson
  /** Key of the nonces, 32 bytes or more and the same on every node; made up where absent. */
  readonly nonceKey?: Uint8Array | undefined
}

/** What of a request a challenge is made for. */
type Challenged = Pick<Received, 'headers' | 'path'>

/** Everything that identify checks with; owns the timers and watchers of the issuers' keys. */
export interface Identity extends TokenProving, Disposable {
  readonly certificateOfCaller: CertificateOfCaller
  /**
   * Puts the headers on a refusal that the specifications tie to it.
   * @param scope what the token would have needed, for `identity.scope_insufficient`
   */
  challenged<T>(verdict: Verdict<T>, received: Challenged, scope?: readonly string[]): Verdict<T>
  /** Headers for `identity.proof_replayed`, which is admit's to find. */
  replayChallenge(received: Challenged): readonly string[]
  noteUnbound(issuer: string): void
  /** Resolves when each issuer's keys were fetched once, or could not be. */
  readonly opened: Promise<void>
  /** Whether tokens of any issuer can be verified: one that is down must not take the others with it. */
  ready(): boolean
  status(): readonly KeyStatus[]
}

/** Binds the identity configuration to its checks. Throws on a configuration that cannot be made safe. */
export function createIdentity(config: ResourceConfig, deps: IdentityDependencies): Identity {
  const { identity, listen } = config
  const { clock, events } = deps
  const issuers = openIssuers(identity.issuers, { clock, events, fetchJson: deps.fetchJson ?? fetchJson })
  const nonces =
    identity.dpop.nonce === 'off'
      ? undefined
      : createDpopNonces(deps.nonceKey ?? randomBytes(MIN_NONCE_KEY_BYTES), identity.dpop.maxAgeMs)
  const challenge = createChallenge(config)

  const contextOf = ({ headers, path }: Challenged): ChallengeContext => ({
    scheme: schemeOf(headers.all('authorization')[0]),
    path,
    untrustedHost: headers.get('host'),
  })
  return {
    clock,
    tokens: createTokenVerifier(issuers, clock, events.tokenLookedUp),
    certificateOfCaller: createCertificateOfCaller(identity.forwardedCertificate),
    checkBinding: createBindingCheck({
      checkProof: createProofCheck(identity.dpop, nonces),
      isTarget: createTargetCheck(deps.origins, listen.externalPathPrefix),
      allowUnbound: identity.dangerouslyAllowUnboundTokens,
    }),
    challenged: (verdict, received, scope) => {
      if (verdict.ok) return verdict
      const { code } = verdict.refusal
      const nonce = code === 'identity.nonce_required' ? nonces?.current(clock.nowMs()) : undefined
      const headers = challenge(code, { ...contextOf(received), scope, nonce })
      return headers.length === 0 ? verdict : { ok: false, refusal: { ...verdict.refusal, headers } }
    },
    replayChallenge: (received) => challenge('identity.proof_replayed', contextOf(received)),
    noteUnbound: (issuer) => events.unboundTokenAccepted({ issuer }),
    opened: Promise.all(issuers.map(async ({ keys }) => keys.refresh())).then(() => undefined),
    ready: () => issuers.some(({ keys }) => keys.usable() !== undefined),
    status: () => issuers.map(({ keys }) => keys.status()),
    [Symbol.dispose]: () => {
      for (const { keys } of issuers) keys[Symbol.dispose]()
    },
  }
}
