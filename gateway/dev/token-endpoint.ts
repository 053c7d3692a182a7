import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify, SignJWT } from 'jose'
import type { CryptoKey } from 'jose'
import { DEFAULT_PERSONA, PERSONAS } from './personas.ts'
import type { Persona } from './personas.ts'

const TOKEN_LIFETIME_SECONDS = 300
const PROOF_WINDOW_SECONDS = 60

interface TokenReply {
  readonly status: number
  readonly body: object
}

export interface TokenEndpointOptions {
  readonly issuer: string
  readonly audience: string
  readonly key: CryptoKey
  readonly kid: string
}

/**
 * The token endpoint of the development issuer: `client_credentials` with a DPoP proof (RFC 9449 §5) gives an
 * RFC 9068 token that is bound to the proof's key. `persona` chooses for whom; without it, the persona whose
 * name is the `client_id` is taken.
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
    const wrong = formProblem(form, options.audience)
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

function failure(status: number, error: string, error_description: string): TokenReply {
  return { status, body: { error, error_description } }
}

function formProblem(form: URLSearchParams, audience: string): TokenReply | undefined {
  // RFC 6749 §3.2: no parameter more than once.
  const repeated = [...form.keys()].some((name) => form.getAll(name).length > 1)
  if (repeated) return failure(400, 'invalid_request', 'a parameter is there more than once')
  if (form.get('grant_type') !== 'client_credentials')
    return failure(400, 'unsupported_grant_type', 'only client_credentials is served')
  const resource = form.get('resource')
  if (resource !== null && resource !== audience)
    return failure(400, 'invalid_target', `tokens are for ${audience}`)
  const scope = form.get('scope')
  return scope === null || scope === 'tools'
    ? undefined
    : failure(400, 'invalid_scope', 'the only scope is tools')
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
  return new SignJWT({
    client_id: persona.clientId,
    tenant: persona.tenant,
    groups: persona.groups,
    device_compliant: persona.deviceCompliant,
    scope: 'tools',
    cnf: { jkt: thumbprint },
  })
    .setProtectedHeader({ typ: 'at+jwt', alg: 'ES256', kid: options.kid })
    .setIssuer(options.issuer)
    .setAudience(options.audience)
    .setSubject(persona.subject)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime(`${TOKEN_LIFETIME_SECONDS}s`)
    .sign(options.key)
}
