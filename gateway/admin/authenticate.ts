import { createHash, timingSafeEqual } from 'node:crypto'
import type { Actor } from '../control/actor.ts'
import { problem, type Answer } from './answer.ts'
import type { AdminRequest } from './request.ts'
import { isFromThisMachine } from './same-site.ts'

export type Authentication =
  { readonly ok: true; readonly actor: Actor } | { readonly ok: false; readonly answer: Answer }

export type Authenticate = (request: AdminRequest) => Authentication | Promise<Authentication>

export interface AuthenticationOptions {
  /** The shared token of operators; where there is none, whoever is on this machine is one. */
  readonly token: string | undefined
}

const OPERATOR: Authentication = { ok: true, actor: { kind: 'operator' } }

/** Says who asks. */
export function createAuthenticate({ token }: AuthenticationOptions): Authenticate {
  const expected = token === undefined ? undefined : digest(token)
  return (request) => {
    const { headers } = request
    if (!headers.has('authorization')) {
      return expected === undefined && isFromThisMachine(request)
        ? OPERATOR
        : unknown('Credentials are required')
    }
    if (headers.count('authorization') > 1) return unknown('More than one Authorization')
    const presented = /^Bearer +(\S{1,16384})$/i.exec(headers.get('authorization') ?? '')?.[1] ?? ''
    const isOperator = expected !== undefined && timingSafeEqual(digest(presented), expected)
    return isOperator ? OPERATOR : unknown('The credentials are not valid')
  }
}

function unknown(title: string): Authentication {
  return { ok: false, answer: problem(401, title, { headers: { 'www-authenticate': 'Bearer' } }) }
}

/** Equal lengths for the constant-time comparison, whatever was presented. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
