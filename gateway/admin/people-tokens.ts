import type { PeopleConfig, PeopleIssuerConfig } from '../config/admin-config.ts'
import type { Config, IssuerConfig } from '../config/config.ts'
import type { Person } from '../control/actor.ts'
import { createIdentity, type Identity } from '../identity/identity.ts'
import type { IdentityEvents } from '../identity/key-source.ts'
import { peerOf } from '../identity/peer.ts'
import { proveToken, type ProvenToken } from '../identity/prove-token.ts'
import type { ResourceConfig } from '../identity/resource-metadata.ts'
import type { AuthenticationFacts } from '../identity/token-facts.ts'
import type { Clock } from '../lib/clock.ts'
import { pass, refuse, type Verdict } from '../refusal.ts'
import { ExpiringMap } from '../store/expiring-map.ts'
import type { AdminRequest } from './request.ts'

/** Proofs are good for seconds; people make few. */
const MAX_PROOFS = 10_000

/** End of each proof that was taken at this listener, by key. It is one process, so nobody else has to know. */
export type UsedProofs = ExpiringMap<number>

export function createUsedProofs(): UsedProofs {
  return new ExpiringMap(MAX_PROOFS, (expiresAtMs) => expiresAtMs)
}

export interface PeopleTokensOptions {
  readonly people: PeopleConfig
  readonly dpop: Config['identity']['dpop']
  readonly tls: Config['listen']['tls']
  /** What `htu` of a proof is compared with. */
  readonly origins: readonly string[]
  /** Kept by the listener, which outlives what it knows of people. */
  readonly proofs: UsedProofs
  readonly clock: Clock
  readonly events: IdentityEvents
}

/** `program` where the token is good, and nobody who could decide anything is behind it. */
type Bearer = Person | 'program'

/** Access tokens of people, verified as those of agents are (RFC 9068, RFC 9449, RFC 8705), by issuers of their own. */
export class PeopleTokens implements Disposable {
  /** Names this listener, for its metadata (RFC 9728). */
  readonly resource: ResourceConfig
  readonly opened: Promise<void>
  readonly #identity: Identity
  readonly #clock: Clock
  readonly #proofs: UsedProofs

  constructor({ people, dpop, tls, origins, proofs, clock, events }: PeopleTokensOptions) {
    this.#clock = clock
    this.#proofs = proofs
    this.resource = {
      identity: {
        issuers: people.issuers.map(issuerOf),
        // A nonce would cost each command of a person a second round trip, and this listener remembers every proof.
        dpop: { ...dpop, nonce: 'off' },
        forwardedCertificate: undefined,
        resource: { documentation: undefined, scopesSupported: [] },
        // Tools that people sign in with bind few tokens; the configuration has seen to TLS or this machine.
        dangerouslyAllowUnboundTokens: true,
      },
      listen: { externalOrigins: origins, externalPathPrefix: '', tls },
    }
    this.#identity = createIdentity(this.resource, { clock, events, origins: new Map([['prefix', origins]]) })
    this.opened = this.#identity.opened
  }

  /** Who a token says it is; a refusal has its challenge. */
  async personOf(request: AdminRequest): Promise<Verdict<Bearer>> {
    const { headers, path, incoming } = request
    const certificate = peerOf(incoming.socket).certificate
    const proving = { headers, method: request.method, path, entrance: 'prefix' as const, certificate }
    const proven = await proveToken(this.#identity, proving)
    if (!proven.ok) return this.#identity.challenged(proven, request)
    const { requiredScopes } = proven.value.token.issuer.config
    if (requiredScopes.some((scope) => !proven.value.token.facts.scopes.includes(scope)))
      return this.#identity.challenged(refuse('identity.scope_insufficient'), request, requiredScopes)
    return this.#identity.challenged(this.#judge(proven.value), request)
  }

  /** For a request without credentials. */
  challenge(request: AdminRequest): Verdict<never> {
    return this.#identity.challenged(refuse('identity.missing'), request)
  }

  [Symbol.dispose](): void {
    this.#identity[Symbol.dispose]()
  }

  #judge({ token, bound }: ProvenToken): Verdict<Bearer> {
    const { facts, issuer } = token
    const replay = bound.proof?.replay
    if (replay !== undefined && !this.#isFirstUse(replay.key, replay.expiresAtMs))
      return refuse('identity.proof_replayed', { detail: 'proof: jti' })
    const { id, groups, act } = facts.principal
    // RFC 9068 §2.2: where nobody signed in, `sub` is the client; RFC 8693 §4.1: with `act`, somebody else acts.
    if (id === facts.agentId || act.length > 0) return pass('program')
    const authentication = describeAuthentication(facts.authentication)
    return pass({ id, issuer: issuer.config.issuer, groups, channel: 'admin', authentication })
  }

  #isFirstUse(key: string, expiresAtMs: number): boolean {
    const nowMs = this.#clock.nowMs()
    if (this.#proofs.get(key, nowMs) !== undefined || !this.#proofs.hasRoom(key, nowMs)) return false
    this.#proofs.set(key, expiresAtMs, nowMs)
    return true
  }
}

function issuerOf(issuer: PeopleIssuerConfig): IssuerConfig {
  const { id, groups } = issuer.claims
  return {
    ...issuer,
    claims: {
      agent: 'client_id',
      principal: id,
      groups,
      tenant: 'tenant',
      deviceCompliant: 'device_compliant',
    },
    tenant: undefined,
    tenants: [],
  }
}

function describeAuthentication({ acr, amr }: AuthenticationFacts): string {
  const said = [...(acr === '' ? [] : [`acr=${acr}`]), ...(amr.length === 0 ? [] : [`amr=${amr.join(',')}`])]
  return said.length === 0 ? 'token' : said.join(' ')
}
