import type { IssuerConfig } from '../config/config.ts'
import type { Caller } from '../caller.ts'
import { compileClaimPath } from './claim-path.ts'
import { isObject } from './compact.ts'
import type { JsonObject } from './compact.ts'

/** What a verified token says of its bearer; frozen, because the token cache hands it out many times. */
export interface TokenFacts extends Pick<
  Caller,
  'principal' | 'tenant' | 'scopes' | 'authorizationDetails' | 'tokenId'
> {
  readonly agentId: string
  readonly authentication: AuthenticationFacts
}

/** How the principal signed in, as far as the issuer says (RFC 9068 §2.2.1); kept for the record, never decided by. */
export interface AuthenticationFacts {
  /** Empty where the token has none. */
  readonly acr: string
  readonly amr: readonly string[]
}

/** The facts, or the name of the claim that cannot be read. */
export type FactsReading =
  { readonly ok: true; readonly facts: TokenFacts } | { readonly ok: false; readonly claim: string }

const MAX_ID_CHARS = 512
const MAX_GROUPS = 256
const MAX_ACTORS = 4
const MAX_DETAILS = 32
const CONTROL = /\p{Cc}/u

/** Compiles an issuer's claim map. A claim of the wrong shape refuses the token: guessing would grant something. */
export function compileFacts(config: IssuerConfig): (claims: JsonObject) => FactsReading {
  const read = {
    agent: compileClaimPath(config.claims.agent),
    principal: compileClaimPath(config.claims.principal),
    tenant: compileClaimPath(config.claims.tenant),
    groups: compileClaimPath(config.claims.groups),
    deviceCompliant: compileClaimPath(config.claims.deviceCompliant),
  }
  return (claims) => {
    const agentId = read.agent(claims)
    if (!isId(agentId)) return unread(config.claims.agent)
    const id = read.principal(claims)
    if (!isId(id)) return unread(config.claims.principal)
    // An issuer without tenants is a tenant: counters of two such issuers never mix.
    const tenant = read.tenant(claims) ?? config.tenant ?? config.issuer
    if (!isId(tenant) || !speaksFor(config, tenant)) return unread(config.claims.tenant)
    const groups = readNames(read.groups(claims))
    if (groups === undefined) return unread(config.claims.groups)
    const act = readActors(claims['act'])
    if (act === undefined) return unread('act')
    const scopes = readScopes(claims['scope'])
    if (scopes === undefined) return unread('scope')
    const authorizationDetails = readDetails(claims['authorization_details'])
    if (authorizationDetails === undefined) return unread('authorization_details')
    const { acr = '' } = claims
    if (acr !== '' && !isId(acr)) return unread('acr')
    const amr = readNames(claims['amr'])
    if (amr === undefined) return unread('amr')
    const tokenId = claims['jti']
    if (!isId(tokenId)) return unread('jti')
    const deviceCompliant = read.deviceCompliant(claims) === true
    const principal = Object.freeze({ id, groups, deviceCompliant, act })
    return {
      ok: true,
      facts: Object.freeze({
        agentId,
        principal,
        tenant,
        scopes,
        authorizationDetails,
        tokenId,
        authentication: Object.freeze({ acr, amr }),
      }),
    }
  }
}

/** One customer's issuer must not be able to sign for another customer. */
function speaksFor({ tenant, tenants }: IssuerConfig, named: string): boolean {
  if (tenant !== undefined && named !== tenant) return false
  return tenants.length === 0 || tenants.includes(named)
}

/** A name that may stand in a log line, a header or a key. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_ID_CHARS && !CONTROL.test(value)
}

/** Groups as an array, or as the space-separated string that some issuers write. */
function readNames(value: unknown): readonly string[] | undefined {
  if (value === undefined) return Object.freeze([])
  const names: unknown = typeof value === 'string' ? value.split(' ').filter((name) => name !== '') : value
  if (!Array.isArray(names) || names.length > MAX_GROUPS || !names.every(isId)) return undefined
  return Object.freeze(names)
}

/** RFC 6749 §3.3: scope tokens separated by single spaces. */
function readScopes(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === '') return Object.freeze([])
  return typeof value === 'string' ? readNames(value) : undefined
}

/** RFC 8693 §4.1: the outermost `act` is the current actor, the ones nested in it came before. */
function readActors(claim: unknown): readonly string[] | undefined {
  const actors: string[] = []
  for (let actor = claim; actor !== undefined;) {
    if (!isObject(actor) || !isId(actor['sub']) || actors.length === MAX_ACTORS) return undefined
    actors.push(actor['sub'])
    actor = actor['act']
  }
  return Object.freeze(actors)
}

/** RFC 9396 §2: an array of objects, each with a `type`. */
function readDetails(claim: unknown): readonly unknown[] | undefined {
  if (claim === undefined) return Object.freeze([])
  if (!Array.isArray(claim) || claim.length > MAX_DETAILS) return undefined
  if (!claim.every((detail) => isObject(detail) && isId(detail['type']))) return undefined
  return freezeDeep(claim)
}

function freezeDeep<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) freezeDeep(member)
  }
  return Object.freeze(value)
}

function unread(claim: string): FactsReading {
  return { ok: false, claim }
}
