import type { Person } from '../control/actor.ts'
import type { CallId } from '../exchange.ts'
import { assertNever } from '../lib/assert-never.ts'
import type { Change } from '../store/approval-store.ts'
import type { Approval } from './approval.ts'
import { settle } from './lifetime.ts'
import { isEntitled, isExcluded, peopleFor } from './people.ts'
import { revoke } from './revoke.ts'

export interface Use {
  /** Of the call that wants to use it, made anew from its own bytes. */
  readonly binding: string
  readonly callId: CallId
  /** Who somebody who answered is by now, with the groups of now; `undefined` where nobody knows them any more. */
  readonly personNow: (person: Person) => Person | undefined
}

export type ConsumeRefusal =
  /** It is bound to another call. */
  | 'mismatch'
  | 'pending'
  | 'denied'
  | 'expired'
  | 'revoked'
  /** By another call, before. */
  | 'used'

export type ConsumeAnswer =
  | { readonly kind: 'consumed'; readonly approval: Approval }
  | { readonly kind: 'refused'; readonly why: ConsumeRefusal; readonly approval: Approval }

/**
 * Uses an approval up, for one call. Asking again for the same call is answered alike, so that a store may try twice; a call
 * has an id of its own each time it arrives, so nothing is sent twice by that.
 */
export function consume(approval: Approval, use: Use, nowMs: number): Change<ConsumeAnswer> {
  const current = settle(approval, nowMs)
  const refuse = (why: ConsumeRefusal, next = current): Change<ConsumeAnswer> => ({
    next: next === approval ? undefined : next,
    answer: { kind: 'refused', why, approval: next },
  })
  // First, so that who brings another call learns nothing else.
  if (current.kind !== 'approval' || current.subject.binding !== use.binding) return refuse('mismatch')
  switch (current.state) {
    case 'pending':
    case 'denied':
    case 'expired':
    case 'revoked':
      return refuse(current.state)
    case 'consumed':
      if (current.consumedBy !== use.callId) return refuse('used')
      return { next: undefined, answer: { kind: 'consumed', approval: current } }
    case 'approved':
      return useApproved(current, use, nowMs)
    default:
      return assertNever(current.state)
  }
}

function useApproved(approval: Approval, use: Use, nowMs: number): Change<ConsumeAnswer> {
  const people = peopleFor(approval.votes)
  const lost = people.filter((person) => !mayAnswer(use.personNow(person), approval))
  if (people.length - lost.length < approval.terms.count) {
    const names = lost.map(({ id }) => id).join(', ')
    const revocation = { by: 'gateway', reason: `may no longer answer: ${names}` }
    const { next = approval } = revoke(approval, revocation, nowMs)
    return { next, answer: { kind: 'refused', why: 'revoked', approval: next } }
  }
  const next: Approval = { ...approval, state: 'consumed', resolvedAtMs: nowMs, consumedBy: use.callId }
  return { next, answer: { kind: 'consumed', approval: next } }
}

function mayAnswer(person: Person | undefined, approval: Approval): boolean {
  return person !== undefined && !isExcluded(person, approval.terms) && isEntitled(person, approval)
}
