import type { Gateway } from '../../gateway/compose.ts'
import type { Actor } from '../../gateway/control/actor.ts'
import type { ControlAnswer } from '../../gateway/control/control.ts'
import { expectDescribed } from './described-answer.ts'

export const OPERATOR: Actor = { kind: 'operator' }

/** Somebody of the bank who proved who they are. */
export function person(id: string, groups: readonly string[] = []): Actor {
  const { issuer, authentication } = { issuer: 'https://people.example', authentication: 'mfa' }
  return { kind: 'person', person: { id, issuer, groups, channel: 'admin', authentication } }
}

/** One request about locks, as the admin listener hands it over; its answer is held to the description. */
export async function askLocks(
  gateway: Pick<Gateway, 'control'>,
  method: 'GET' | 'POST' | 'DELETE',
  {
    id,
    body,
    actor = OPERATOR,
  }: { readonly id?: string; readonly body?: unknown; readonly actor?: Actor } = {},
): Promise<ControlAnswer> {
  const request = { method, path: id === undefined ? 'locks' : `locks/${id}`, query: '', body, actor }
  const answer = await gateway.control(request)
  expectDescribed(request, answer)
  return answer
}

interface LockAnswer {
  readonly lock: { readonly id: string }
}

/** Sets a lock and answers with its id. */
export async function setLock(
  gateway: Pick<Gateway, 'control'>,
  scope: string,
  { actor = OPERATOR, ...more }: { readonly actor?: Actor; readonly [member: string]: unknown } = {},
): Promise<string> {
  const body = { scope, reason: 'seen to run wild', ...more }
  const answer = await askLocks(gateway, 'POST', { body, actor })
  if (answer.status !== 201) throw new Error(`not locked: ${JSON.stringify(answer)}`)
  return (answer.body as LockAnswer).lock.id
}
