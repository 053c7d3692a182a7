import { assertNever } from '../lib/assert-never.ts'
import type { Approval } from './approval.ts'

/** Whether it can still become anything else. */
export function isOpen({ kind, state }: Pick<Approval, 'kind' | 'state'>): boolean {
  return state === 'pending' || (state === 'approved' && kind === 'approval')
}

/** When time alone ends it; infinite where it is over. */
export function endsAtMs(approval: Approval): number {
  if (!isOpen(approval)) return Infinity
  const { state, resolvedAtMs, terms } = approval
  return state === 'pending' ? terms.expiresAtMs : resolvedAtMs + terms.useWithinMs
}

/** When time alone next changes anything about it; infinite where it never will. */
export function dueAtMs(approval: Approval): number {
  return Math.min(endsAtMs(approval), escalatesAtMs(approval))
}

/**
 * What time alone has made of it by now. Every transition starts here, so that none depends on whether a timer came by in
 * time.
 */
export function settle(approval: Approval, nowMs: number): Approval {
  if (nowMs >= endsAtMs(approval)) return expire(approval, nowMs)
  return nowMs >= escalatesAtMs(approval) ? escalate(approval) : approval
}

/**
 * While one is open, the same call is not held a second time. Each call is reviewed for itself, and so each has its own.
 */
export function openKey({ kind, subject }: Pick<Approval, 'kind' | 'subject'>): string {
  switch (kind) {
    case 'approval':
      return `a:${subject.binding}`
    case 'review':
      return `r:${subject.callId}`
    default:
      return assertNever(kind)
  }
}

/** Whose bound a pending one counts towards: those of its kind of one agent, which is never a name that it chose. */
export function pendingKey({ kind, subject }: Pick<Approval, 'kind' | 'subject'>): string {
  return JSON.stringify([kind, subject.tenant, subject.agent.issuer, subject.agent.id])
}

function expire(approval: Approval, nowMs: number): Approval {
  return { ...approval, state: 'expired', resolvedAtMs: nowMs }
}

function escalate(approval: Approval): Approval {
  return { ...approval, escalated: true }
}

function escalatesAtMs({ state, escalated, terms }: Approval): number {
  return state === 'pending' && !escalated && terms.escalationGroup !== '' ? terms.escalateAtMs : Infinity
}
