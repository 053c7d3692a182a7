import type { RefusalCode } from '../refusal.ts'
import { acceptsBearer, metadataUrl, originFor, resourcesOf } from './resource-metadata.ts'
import type { ResourceConfig, ResourceIdentifier } from './resource-metadata.ts'

export type Scheme = 'dpop' | 'bearer'

/** What a challenge may say beyond the configuration. */
export interface ChallengeContext {
  /** Scheme that the caller used; `undefined` when it used neither. */
  readonly scheme: Scheme | undefined
  readonly path: string
  readonly untrustedHost: string | undefined
  readonly scope?: readonly string[] | undefined
  readonly nonce?: string | undefined
}

/** Headers that go with a refusal, as a flat name, value list; empty where none belong. */
export type Challenge = (code: RefusalCode, context: ChallengeContext) => readonly string[]

interface ChallengeError {
  readonly error: string
  readonly description: string
  /** The error is about the proof, so it stands on DPoP whatever scheme was used. */
  readonly ofProof?: true
}

/** RFC 6750 §3.1, RFC 9449 §7.1, §9. The description says no more than the code: the log has the detail. */
const ERRORS = new Map<RefusalCode, ChallengeError>([
  ['identity.ambiguous', { error: 'invalid_request', description: 'More than one credential was presented' }],
  ['identity.token_invalid', { error: 'invalid_token', description: 'The access token is not valid' }],
  ['identity.token_expired', { error: 'invalid_token', description: 'The access token expired' }],
  [
    'identity.token_unbound',
    { error: 'invalid_token', description: 'The access token is not bound to a key' },
  ],
  ['identity.binding_mismatch', { error: 'invalid_token', description: 'Invalid DPoP key binding' }],
  [
    'identity.proof_invalid',
    { error: 'invalid_dpop_proof', description: 'The proof is not valid', ofProof: true },
  ],
  [
    'identity.proof_replayed',
    { error: 'invalid_dpop_proof', description: 'The proof was used before', ofProof: true },
  ],
  [
    'identity.nonce_required',
    { error: 'use_dpop_nonce', description: 'The proof needs the nonce given', ofProof: true },
  ],
  [
    'identity.scope_insufficient',
    { error: 'insufficient_scope', description: 'A required scope is missing' },
  ],
])

/**
 * Challenges in both schemes that are accepted, the error only in the one that the caller used (RFC 9449 §7.2).
 * Where Bearer is not accepted at all, there is only the DPoP challenge to carry it.
 */
export function createChallenge(config: ResourceConfig): Challenge {
  const resources = [...resourcesOf(config)].sort((a, b) => b.path.length - a.path.length)
  const algorithms = config.identity.dpop.algorithms.join(' ')
  const bearerAccepted = acceptsBearer(config)
  const { externalOrigins, externalPathPrefix } = config.listen

  return (code, context) => {
    const error = ERRORS.get(code)
    if (error === undefined && code !== 'identity.missing') return []
    const origin = originFor(externalOrigins, context.untrustedHost)
    const resource = resources.find(
      (one) => one.origin === origin && holds(one, externalPathPrefix + context.path),
    )
    const onBearer = bearerAccepted && context.scheme === 'bearer' && error?.ofProof !== true
    const metadata = resource === undefined ? [] : [parameter('resource_metadata', metadataUrl(resource))]
    const told = error === undefined ? [] : describe(error, onBearer, context.scope)
    const dpop = [...(onBearer ? [] : told), parameter('algs', algorithms), ...metadata]
    const headers = ['WWW-Authenticate', `DPoP ${dpop.join(', ')}`]
    if (bearerAccepted) {
      const bearer = [...(onBearer ? told : []), ...metadata].join(', ')
      headers.push('WWW-Authenticate', bearer === '' ? 'Bearer' : `Bearer ${bearer}`)
    }
    if (context.nonce !== undefined) headers.push('DPoP-Nonce', context.nonce)
    headers.push('Cache-Control', 'no-store')
    return headers
  }
}

function describe(
  { error, description }: ChallengeError,
  onBearer: boolean,
  scope?: readonly string[],
): string[] {
  const text =
    onBearer && description.startsWith('Invalid DPoP') ? 'Invalid certificate binding' : description
  const parameters = [parameter('error', error), parameter('error_description', text)]
  if (scope !== undefined) parameters.push(parameter('scope', scope.join(' ')))
  return parameters
}

/** Whether a path lies within a resource, by whole segments. */
function holds(resource: ResourceIdentifier, path: string): boolean {
  return path === resource.path || path.startsWith(resource.path.replace(/\/?$/, '/'))
}

/** A quoted-string (RFC 9110 §5.6.4). */
function parameter(name: string, value: string): string {
  return `${name}="${value.replaceAll(/["\\]/g, '\\$&')}"`
}
