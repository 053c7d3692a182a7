import { randomUUID } from 'node:crypto'
import type { Actor, Person } from '../../../gateway/control/actor.ts'
import type { Lock, LockId } from '../../../gateway/locks/lock.ts'
import { parseScope } from '../../../gateway/locks/scope.ts'

export function aLock(scope: string, more: Partial<Omit<Lock, 'scope'>> = {}): Lock {
  const parsed = parseScope(scope)
  if (parsed === undefined) throw new Error(`${scope} is no scope`)
  return {
    id: randomUUID() as LockId,
    scope: parsed,
    writesOnly: false,
    tokensBeforeMs: undefined,
    reason: 'seen to run wild',
    author: { kind: 'operator' },
    setAtMs: Date.UTC(2026, 10, 26, 9),
    expiresAtMs: undefined,
    release: 'anyone',
    releaseRequests: [],
    ...more,
  }
}

export function aPerson(id: string, more: Partial<Person> = {}): Actor {
  const person = { id, issuer: 'https://id.zyx.example', groups: [], authentication: 'mfa' } as const
  return { kind: 'person', person: { ...person, channel: 'admin', ...more } }
}
