import type { JsonObject } from './compact.ts'

/**
 * Name of a registered claim that is present with a type it cannot have (RFC 7519 §4.1), `undefined` when there is
 * none. Also for claims that nothing here reads: what another reader would choke on is not well-formed.
 */
export function misshapenClaim({ iss, sub, aud, exp, nbf, iat, jti }: JsonObject): string | undefined {
  if (!isAbsentOr('string', iss)) return 'iss'
  if (!isAbsentOr('string', sub)) return 'sub'
  if (!isAbsentOr('string', jti)) return 'jti'
  if (!isAbsentOr('number', exp)) return 'exp'
  if (!isAbsentOr('number', nbf)) return 'nbf'
  if (!isAbsentOr('number', iat)) return 'iat'
  if (Array.isArray(aud)) return aud.every((one) => typeof one === 'string') ? undefined : 'aud'
  return isAbsentOr('string', aud) ? undefined : 'aud'
}

function isAbsentOr(type: 'string' | 'number', value: unknown): boolean {
  return value === undefined || typeof value === type
}
