import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify, SignJWT } from 'jose'
import type { CryptoKey, JWTPayload } from 'jose'
import { DEFAULT_PERSONA, PEOPLE, PERSONAS } from './personas.ts'
import type { DevelopmentPerson, Persona } from './personas.ts'

const TOKEN_LIFETIME_SECONDS = 300
/** As long as people like to try things. */
const PERSON_TOKEN_LIFETIME_SECONDS = 3_600
const PROOF_WINDOW_SECONDS = 60

interface TokenReply {
  readonly status: number
  readonly body: object
}

export interface TokenEndpointOptions {
  readonly issuer: string
  readonly audience: string
  readonly adminAudience: string
  readonly key: CryptoKey
  readonly kid: string
}

/**
 * The token endpoint of the development issuer: `client_credentials` with a DPoP proof (RFC 9449 §5) gives an
 * RFC 9068 token that is bound to the proof's key. `persona` chooses for whom; without it, the persona whose
 * name is the `client_id` is taken. `person` gives what signing in would: a token of that person for the admin listener.
 */
export function createTokenEndpoint(
  options: TokenEndpointOptions,
): (request: IncomingMessage, body: string) => Promise<TokenReply> {
  const seenProofs = new Map<string, number>()
  return async (request, body) => {
    if (request.headers['content-type']?.split(';')[0]?.trim() !== 'application/x-www-form-urlencoded') {
      return failure(400, 'invalid_request', 'the body has to be form-encoded')
    }
    const form = new URLSearchParams(body)
    if (form.has('person')) return tokenOfPerson(options, form)
    const wrong = formProblem(form, options.audience, 'tools')
    if (wrong !== undefined) return wrong
    const persona = personaOf(form)
    if (persona === undefined)
      return failure(
        401,
        'invalid_client',
        `client_id and persona have to be one of: ${[...PERSONAS.keys()].join(', ')}`,
      )
    const thumbprint = await verifyProof(request, `${options.issuer}/token`, seenProofs)
    if (thumbprint === undefined)
      return failure(400, 'invalid_dpop_proof', 'exactly one valid, fresh DPoP proof is needed')
    return {
      status: 200,
      body: {
        access_token: await issue(options, persona, thumbprint),
        token_type: 'DPoP',
        expires_in: TOKEN_LIFETIME_SECONDS,
        scope: 'tools',
      },
    }
  }
}

/** Bound to no key, as those of most sign-in tools are; the admin listener takes it on this machine. */
async function tokenOfPerson(options: TokenEndpointOptions, form: URLSearchParams): Promise<TokenReply> {
  const wrong = formProblem(form, options.adminAudience, 'control')
  if (wrong !== undefined) return wrong
  const person = PEOPLE.get(form.get('person') ?? '')
  if (person === undefined)
    return failure(400, 'invalid_grant', `person has to be one of: ${[...PEOPLE.keys()].join(', ')}`)
  return {
    status: 200,
    body: {
      access_token: await issueToPerson(options, person),
      token_type: 'Bearer',
      expires_in: PERSON_TOKEN_LIFETIME_SECONDS,
      scope: 'control',
    },
  }
}

function failure(status: number, error: string, error_description: string): TokenReply {
  return { status, body: { error, error_description } }
}

function formProblem(form: URLSearchParams, audience: string, only: string): TokenReply | undefined {
  // RFC 6749 §3.2: no parameter more than once.
  const repeated = [...form.keys()].some((name) => form.getAll(name).length > 1)
  if (repeated) return failure(400, 'invalid_request', 'a parameter is there more than once')
  if (form.get('grant_type') !== 'client_credentials')
    return failure(400, 'unsupported_grant_type', 'only client_credentials is served')
  const resource = form.get('resource')
  if (resource !== null && resource !== audience)
    return failure(400, 'invalid_target', `tokens are for ${audience}`)
  const scope = form.get('scope')
  return scope === null || scope === only
    ? undefined
    : failure(400, 'invalid_scope', `the only scope is ${only}`)
}

function personaOf(form: URLSearchParams): Persona | undefined {
  const clientId = form.get('client_id') ?? ''
  const persona = PERSONAS.get(form.get('persona') ?? (clientId === '' ? DEFAULT_PERSONA : clientId))
  return persona === undefined || (clientId !== '' && persona.clientId !== clientId) ? undefined : persona
}

/** The thumbprint of the proof's key, or undefined where RFC 9449 §4.3 finds anything wrong with it. */
async function verifyProof(
  request: IncomingMessage,
  htu: string,
  seen: Map<string, number>,
): Promise<string | undefined> {
  const [proof, ...more] = request.headersDistinct['dpop'] ?? []
  if (proof === undefined || more.length > 0) return undefined
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: ['ES256'],
      requiredClaims: ['jti', 'iat', 'htm', 'htu'],
      maxTokenAge: PROOF_WINDOW_SECONDS,
      clockTolerance: 5,
    })
    const { jti, htm } = payload
    if (jti === undefined || htm !== 'POST' || payload['htu'] !== htu || protectedHeader.jwk === undefined)
      return undefined
    const thumbprint = await calculateJwkThumbprint(protectedHeader.jwk)
    return isFirstUse(seen, `${thumbprint}:${jti}`) ? thumbprint : undefined
  } catch {
    return undefined
  }
}

function isFirstUse(seen: Map<string, number>, key: string): boolean {
  const nowMs = Date.now()
  for (const [old, expiresAtMs] of seen) if (expiresAtMs <= nowMs) seen.delete(old)
  if (seen.has(key)) return false
  seen.set(key, nowMs + 2 * PROOF_WINDOW_SECONDS * 1000)
  return true
}

/** RFC 9068 §2.2, with the claims that the default claim map reads. */
function issue(options: TokenEndpointOptions, persona: Persona, thumbprint: string): Promise<string> {
  const claims = {
    client_id: persona.clientId,
    tenant: persona.tenant,
    groups: persona.groups,
    device_compliant: persona.deviceCompliant,
    scope: 'tools',
    cnf: { jkt: thumbprint },
  }
  return sign(options, persona.subject, options.audience, claims, TOKEN_LIFETIME_SECONDS)
}

function issueToPerson(options: TokenEndpointOptions, person: DevelopmentPerson): Promise<string> {
  // RFC 8176 has no word for somebody who only said who they are.
  const claims = { client_id: 'toolgate-cli', groups: person.groups, scope: 'control', acr: 'development' }
  return sign(options, person.subject, options.adminAudience, claims, PERSON_TOKEN_LIFETIME_SECONDS)
}

function sign(
  options: TokenEndpointOptions,
  subject: string,
  audience: string,
  claims: JWTPayload,
  lifetimeSeconds: number,
): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ typ: 'at+jwt', alg: 'ES256', kid: options.kid })
    .setIssuer(options.issuer)
    .setAudience(audience)
    .setSubject(subject)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime(`${lifetimeSeconds}s`)
    .sign(options.key)
}
