import type { Actor } from '../control/actor.ts'
import type { Change } from '../store/approval-store.ts'
import type { Approval } from './approval.ts'
import { isOpen, settle } from './lifetime.ts'

export type RevokeAnswer =
  | { readonly kind: 'revoked'; readonly approval: Approval }
  /** It was revoked before: nothing changed. */
  | { readonly kind: 'repeated'; readonly approval: Approval }
  /** Too late: the state says what it became. */
  | { readonly kind: 'final'; readonly approval: Approval }

export interface Revocation {
  /** Name of who does it: a person, the agent, a part of the gateway. */
  readonly by: string
  readonly reason: string
  /** Whoever did it at the admin listener or through a channel, for the record. */
  readonly actor?: Actor
}

/** Takes it back, whatever people have answered, for as long as the call was not made. */
export function revoke(approval: Approval, { by, reason }: Revocation, nowMs: number): Change<RevokeAnswer> {
  const current = settle(approval, nowMs)
  if (!isOpen(current)) {
    const kind = current.state === 'revoked' ? 'repeated' : 'final'
    return { next: current === approval ? undefined : current, answer: { kind, approval: current } }
  }
  const next: Approval = {
    ...current,
    state: 'revoked',
    resolvedAtMs: nowMs,
    revokedBy: by,
    revocationReason: reason,
  }
  return { next, answer: { kind: 'revoked', approval: next } }
}
