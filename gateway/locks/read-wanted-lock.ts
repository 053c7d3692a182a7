import { LOCK_SCOPES, parseScope } from './scope.ts'
import { RELEASE_RULES } from './lock.ts'
import type { WantedLock } from './lock-service.ts'

export type WantedReading =
  | { readonly ok: true; readonly wanted: WantedLock }
  | { readonly ok: false; readonly problem: 'scope' | 'body'; readonly detail: string }

const MEMBERS = ['scope', 'reason', 'writesOnly', 'tokensBefore', 'expiresInMs', 'release']
const MAX_REASON_CHARS = 512
const MAX_LIFE_MS = 366 * 86_400_000

/** What a request wants of a lock; one that says anything else than that is refused, as it may have meant more. */
export function readWantedLock(untrustedBody: unknown, nowMs: number): WantedReading {
  if (typeof untrustedBody !== 'object' || untrustedBody === null) return bad('a JSON object is needed')
  const body = untrustedBody as Readonly<Record<string, unknown>>
  const unknown = Object.keys(body).find((name) => !MEMBERS.includes(name))
  if (unknown !== undefined) return bad(`a lock has ${MEMBERS.join(', ')}, and nothing else`)
  const scope = typeof body['scope'] === 'string' ? parseScope(body['scope']) : undefined
  if (scope === undefined) {
    const forms = Object.values(LOCK_SCOPES).map(({ form }) => form)
    return { ok: false, problem: 'scope', detail: `a scope is one of ${forms.join(', ')}` }
  }
  const { writesOnly = false, release = 'anyone' } = body
  const reason = reasonOf(body['reason'])
  const tokensBeforeMs = momentOf(body['tokensBefore'], nowMs)
  const expiresAtMs = endOf(body['expiresInMs'], nowMs)
  const releaseRule = RELEASE_RULES.find((rule) => rule === release)
  if (reason === undefined) return bad(`reason has to be a text of 1 to ${MAX_REASON_CHARS} characters`)
  if (typeof writesOnly !== 'boolean') return bad('writesOnly is true or false')
  if (tokensBeforeMs === 'bad') return bad('tokensBefore is a time in RFC 3339 that has passed, or "now"')
  if (expiresAtMs === 'bad') return bad(`expiresInMs is a whole number from 1 to ${MAX_LIFE_MS}`)
  if (releaseRule === undefined) return bad(`release is one of ${RELEASE_RULES.join(', ')}`)
  return {
    ok: true,
    wanted: { scope, reason, writesOnly, tokensBeforeMs, expiresAtMs, release: releaseRule },
  }
}

/** Why somebody sets or releases a lock; `undefined` for what is no reason. */
export function reasonOf(untrusted: unknown): string | undefined {
  if (typeof untrusted !== 'string') return undefined
  const reason = untrusted.trim()
  return reason === '' || reason.length > MAX_REASON_CHARS ? undefined : reason
}

function momentOf(untrusted: unknown, nowMs: number): number | undefined | 'bad' {
  if (untrusted === undefined) return undefined
  if (untrusted === 'now') return nowMs
  if (typeof untrusted !== 'string' || !/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(untrusted))
    return 'bad'
  const atMs = Date.parse(untrusted)
  return Number.isNaN(atMs) || atMs > nowMs ? 'bad' : atMs
}

function endOf(untrusted: unknown, nowMs: number): number | undefined | 'bad' {
  if (untrusted === undefined) return undefined
  const isLife = Number.isInteger(untrusted) && Number(untrusted) >= 1 && Number(untrusted) <= MAX_LIFE_MS
  return isLife ? nowMs + Number(untrusted) : 'bad'
}

function bad(detail: string): WantedReading {
  return { ok: false, problem: 'body', detail }
}
