import { actorFields } from '../audit/lock-entry.ts'
import type { Actor } from '../control/actor.ts'
import { controlProblem } from '../control/control-problem.ts'
import type { ControlAnswer, ControlRoute } from '../control/control.ts'
import type { Clock } from '../lib/clock.ts'
import { isUuid } from '../lib/uuid.ts'
import { assertNever } from '../lib/assert-never.ts'
import type { Lock, LockId } from './lock.ts'
import type { LockService, ReleaseAnswer, SetAnswer } from './lock-service.ts'
import type { Locks } from './locks.ts'
import { readWantedLock, reasonOf } from './read-wanted-lock.ts'
import { formatScope, LOCK_SCOPES, type LockScope } from './scope.ts'

export interface LockRoutesOptions {
  readonly service: LockService
  readonly locks: Pick<Locks, 'state' | 'epoch'>
  readonly clock: Pick<Clock, 'nowMs'>
  /** Why a scope stops nothing here, as far as that can be told: a name that the configuration does not have. */
  readonly stopsNothing: (scope: LockScope) => string | undefined
}

/** `GET locks`, `POST locks`, `DELETE locks/{id}`. Whoever may ask at all may set a lock; DESIGN §8. */
export function lockRoutes({
  service,
  locks,
  clock,
  stopsNothing,
}: LockRoutesOptions): readonly ControlRoute[] {
  return [
    {
      method: 'GET',
      pattern: 'locks',
      answer: () => ({
        status: 200,
        body: { state: locks.state, epoch: locks.epoch, locks: service.list().map(shown) },
      }),
    },
    {
      method: 'POST',
      pattern: 'locks',
      answer: async ({ body, actor }) => {
        const reading = readWantedLock(body, clock.nowMs())
        if (!reading.ok) return unreadable(reading.problem, reading.detail)
        const warning = stopsNothing(reading.wanted.scope)
        return setAnswer(await service.set(reading.wanted, actor), warning)
      },
    },
    {
      method: 'DELETE',
      pattern: 'locks/{id}',
      answer: async ({ body, actor }, { id = '' }) => {
        const { reason: given = 'released' } = (body ?? {}) as { readonly reason?: unknown }
        const reason = reasonOf(given)
        if (reason === undefined) return unreadable('body', 'reason has to be a text of 1 to 512 characters')
        if (!isUuid(id)) return noSuchLock()
        try {
          return releaseAnswer(await service.release(id as LockId, actor, reason), actor)
        } catch {
          return unavailable('The store of the locks cannot be reached, so the lock holds')
        }
      },
    },
  ]
}

function setAnswer(answer: SetAnswer, warning: string | undefined): ControlAnswer {
  if (answer.kind === 'full') {
    const detail = 'Release some, or set one with a wider scope.'
    return controlProblem(409, 'There are too many locks', { detail, code: 'lock.too_many' })
  }
  const { lock, shared, witnessed, isOnRecord } = answer
  const warnings = [
    shared
      ? ''
      : 'the store cannot be reached: until it can, the lock holds in one process of this gateway alone',
    shared && !witnessed ? 'too few replicas of the store have it yet' : '',
    isOnRecord ? '' : 'it could not be put on record',
    warning ?? '',
  ].filter(Boolean)
  return {
    status: 201,
    body: { lock: shown(lock), shared, witnessed, onRecord: isOnRecord, warnings },
    headers: { Location: `/admin/v1/locks/${lock.id}` },
  }
}

function releaseAnswer(answer: ReleaseAnswer, actor: Actor): ControlAnswer {
  switch (answer.kind) {
    case 'released':
      return { status: 200, body: { released: true, lock: shown(answer.lock) } }
    case 'requested': {
      const detail =
        actor.kind === 'person'
          ? 'Another person has to release it. That you asked for it is on the lock and on record.'
          : 'A person has to release it, and the operators’ token is nobody. The request is on record.'
      return controlProblem(403, 'The lock holds', {
        detail,
        code: 'lock.another_person',
        lock: shown(answer.lock),
      })
    }
    case 'unknown':
      return noSuchLock()
    case 'unrecorded':
      return unavailable('The release could not be put on record, so the lock holds')
    default:
      return assertNever(answer)
  }
}

function unreadable(problem: 'scope' | 'body', detail: string): ControlAnswer {
  if (problem === 'body') return controlProblem(400, 'Not a lock', { detail, code: 'lock.invalid' })
  return controlProblem(400, 'No such scope', { detail, code: 'lock.scope_unknown', scopes: LOCK_SCOPES })
}

function noSuchLock(): ControlAnswer {
  return controlProblem(404, 'No such lock', { code: 'lock.not_found' })
}

function unavailable(title: string): ControlAnswer {
  return controlProblem(503, title, { code: 'lock.unavailable' }, { 'Retry-After': '1' })
}

/** As clients see it; times in RFC 3339. */
function shown(lock: Lock): object {
  const { id, scope, writesOnly, tokensBeforeMs, reason, author, setAtMs, expiresAtMs } = lock
  return {
    id,
    scope: formatScope(scope),
    writesOnly,
    ...(tokensBeforeMs !== undefined && { tokensBefore: timeOf(tokensBeforeMs) }),
    reason,
    author: actorFields(author),
    setAt: timeOf(setAtMs),
    ...(expiresAtMs !== undefined && { expiresAt: timeOf(expiresAtMs) }),
    release: lock.release,
    releaseRequests: lock.releaseRequests.map(({ by, reason: why, atMs }) => ({
      by: actorFields(by),
      reason: why,
      at: timeOf(atMs),
    })),
  }
}

function timeOf(atMs: number): string {
  return new Date(atMs).toISOString()
}
