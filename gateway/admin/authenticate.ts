import { createHash, timingSafeEqual } from 'node:crypto'
import type { Actor, Person } from '../control/actor.ts'
import type { HeaderList } from '../lib/header-list.ts'
import { REFUSALS, type Refusal } from '../refusal.ts'
import { problem, type Answer } from './answer.ts'
import type { PersonByCertificate } from './people-certificates.ts'
import type { PeopleTokens } from './people-tokens.ts'
import type { AdminRequest } from './request.ts'
import { isFromThisMachine } from './same-site.ts'

export type Authentication =
  { readonly ok: true; readonly actor: Actor } | { readonly ok: false; readonly answer: Answer }

export type Authenticate = (request: AdminRequest) => Promise<Authentication>

export interface AuthenticationOptions {
  /** The shared token of operators. */
  readonly token: string | undefined
  /** Whether whoever is on this machine is an operator without any credentials. */
  readonly isOpenHere: boolean
  readonly personByCertificate: PersonByCertificate
  /** `undefined` where no issuer of people is configured. */
  readonly peopleTokens: PeopleTokens | undefined
  readonly nowMs: () => number
  /** Why a token was refused: the caller is told the code alone. */
  readonly onRefused: (refusal: Refusal) => void
}

/**
 * Says who asks: by the credentials in `Authorization` where there are any, else by the client certificate, else by
 * being on this machine. Credentials that are there and wrong are never passed over for a weaker kind.
 */
export function createAuthenticate(options: AuthenticationOptions): Authenticate {
  const { token, isOpenHere, personByCertificate, peopleTokens, nowMs, onRefused } = options
  const expected = token === undefined ? undefined : digest(token)

  const unknown = (request: AdminRequest, title: string): Authentication => {
    const challenge = peopleTokens?.challenge(request)
    const headers = challenge?.ok === false ? grouped(challenge.refusal.headers) : undefined
    return {
      ok: false,
      answer: problem(401, title, { headers: headers ?? { 'www-authenticate': 'Bearer' } }),
    }
  }
  return async (request) => {
    const { headers } = request
    if (!headers.has('authorization')) {
      const person = personByCertificate(request, nowMs())
      if (person !== undefined) return known(person)
      return isOpenHere && isFromThisMachine(request)
        ? OPERATOR
        : unknown(request, 'Credentials are required')
    }
    if (expected !== undefined && timingSafeEqual(digest(bearerOf(headers)), expected)) return OPERATOR
    if (peopleTokens === undefined) return unknown(request, 'The credentials are not valid')
    const verdict = await peopleTokens.personOf(request)
    if (verdict.ok) return verdict.value === 'program' ? NO_PERSON : known(verdict.value)
    onRefused(verdict.refusal)
    return { ok: false, answer: refusalAnswer(verdict.refusal) }
  }
}

const OPERATOR: Authentication = { ok: true, actor: { kind: 'operator' } }
const NO_PERSON: Authentication = {
  ok: false,
  answer: problem(403, 'The token is of a program, and only people are heard here'),
}

function known(person: Person): Authentication {
  return { ok: true, actor: { kind: 'person', person } }
}

/** Empty where there is not exactly one bearer token. */
function bearerOf(headers: HeaderList): string {
  return /^Bearer +(\S{1,16384})$/i.exec(headers.get('authorization') ?? '')?.[1] ?? ''
}

function refusalAnswer({ code, headers, retryAfterMs }: Refusal): Answer {
  const { status, title } = REFUSALS[code]
  const retry = retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) }
  return problem(status, title, { code, headers: { ...grouped(headers), ...retry } })
}

/** Flat name, value list to values by name: there are several challenges, each in a field of its own. */
function grouped(flat: readonly string[] = []): Record<string, readonly string[]> {
  const headers: Record<string, readonly string[]> = {}
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const name = (flat[index] ?? '').toLowerCase()
    headers[name] = [...(headers[name] ?? []), flat[index + 1] ?? '']
  }
  return headers
}

/** Equal lengths for the constant-time comparison, whatever was presented. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
