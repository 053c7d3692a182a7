import { printable } from '../../lib/scrub.ts'

/** A lock as the admin listener gives it. */
export interface ShownLock {
  readonly id: string
  readonly scope: string
  readonly reason: string
  readonly by: string
  readonly setAt: string
  /** Empty where it stays until somebody releases it. */
  readonly ends: string
  /** What narrows it, and who may release it; in words. */
  readonly notes: readonly string[]
}

type Members = Readonly<Record<string, unknown>>

/** @throws Error where the answer is not one that this program knows */
export function readLock(untrusted: unknown): ShownLock {
  const lock = membersOf(untrusted)
  const author = membersOf(lock['author'])
  const before = lock['tokensBefore']
  return {
    id: text(lock, 'id'),
    scope: text(lock, 'scope'),
    reason: text(lock, 'reason'),
    by: String(author['id'] ?? author['part'] ?? author['kind']),
    setAt: text(lock, 'setAt'),
    ends: lock['expiresAt'] === undefined ? '' : text(lock, 'expiresAt'),
    notes: [
      lock['writesOnly'] === true ? 'writes only' : '',
      typeof before === 'string' ? `tokens before ${before}` : '',
      lock['release'] === 'another-person' ? 'takes another person' : '',
      ...requestsOf(lock),
    ].filter(Boolean),
  }
}

/** Everything in it was chosen by somebody else. */
export function shown(text: string): string {
  return printable(text, 256)
}

export function membersOf(untrusted: unknown): Members {
  if (typeof untrusted !== 'object' || untrusted === null || Array.isArray(untrusted)) throw foreign()
  return untrusted as Members
}

export function listOf(untrusted: unknown): readonly unknown[] {
  if (!Array.isArray(untrusted)) throw foreign()
  return untrusted
}

function requestsOf(lock: Members): string[] {
  return listOf(lock['releaseRequests']).map((request) => {
    const { id, kind } = membersOf(membersOf(request)['by'])
    return `${String(id ?? kind)} asks for its release`
  })
}

function text(members: Members, name: string): string {
  const value = members[name]
  if (typeof value !== 'string') throw foreign()
  return value
}

function foreign(): Error {
  return new Error('its answer is none that this program knows')
}
