import type { Approval } from '../approvals/approval.ts'
import { assertNever } from '../lib/assert-never.ts'
import { printable, scrub } from '../lib/scrub.ts'
import { isApprovalNews } from './approval-news.ts'
import { type ApprovalNews, type NotifyEvent } from './event.ts'

const NAME_LIMIT = 256
const TEXT_LIMIT = 1_024

/** One line for people, of words that cannot pass for anything but words; at most 512 characters. */
export function summaryOf(event: NotifyEvent): string {
  return printable(isApprovalNews(event) ? approvalSummary(event) : otherSummary(event), 512)
}

function otherSummary(event: Exclude<NotifyEvent, ApprovalNews>): string {
  switch (event.type) {
    case 'lock.set':
      return `Lock on ${event.lock.scope} set by ${event.by}: ${text(event.lock.reason)}`
    case 'lock.released':
      return `Lock on ${event.lock.scope} released by ${event.by}`
    case 'lock.expired':
      return `Lock on ${event.lock.scope} expired`
    case 'lock.release_requested':
      return `${event.by} asks for the release of the lock on ${event.lock.scope}; somebody else has to agree`
    case 'detection.raised': {
      const { kind, agent, hypothesis } = event.detection
      return `${kind} of ${agent}: ${text(hypothesis)}`
    }
    case 'policy.notice':
      return `${event.agent} called ${event.operation} for ${event.principal}: ${event.outcome}`
    default:
      return assertNever(event)
  }
}

function approvalSummary({ type, approval, by }: ApprovalNews): string {
  const { subject, kind, terms } = approval
  const what = `${subject.agent.id} for ${subject.principal}: ${subject.operation} (risk ${String(subject.risk)})`
  const noun = kind === 'review' ? 'Review' : 'Approval'
  const verb = type.slice(type.indexOf('.') + 1)
  switch (verb) {
    case 'requested':
      return `${noun} requested of ${terms.groups.join(', ')}: ${what}`
    case 'escalated':
      return `${noun} escalated to ${terms.escalationGroup}: ${what}`
    default:
      return `${noun} ${verb}${by === '' ? '' : ` by ${by}`}: ${what}`
  }
}

/** Members of an event for machines, in the names of the record; bounded, and without what approvers are shown. */
export function factsOf(event: NotifyEvent): Readonly<Record<string, unknown>> {
  if (isApprovalNews(event)) return { ...approvalFacts(event.approval), by: name(event.by) }
  switch (event.type) {
    case 'lock.set':
    case 'lock.released':
    case 'lock.expired':
    case 'lock.release_requested': {
      const { id, scope, reason, epoch, expiresAtMs } = event.lock
      const expires = expiresAtMs === 0 ? {} : { expires_at: isoTime(expiresAtMs) }
      return { by: name(event.by), epoch, id, reason: text(reason), scope: name(scope), ...expires }
    }
    case 'detection.raised': {
      const { id, kind, severity, tenant, agent, principal, operation, callId, hypothesis, nextStep, lock } =
        event.detection
      return {
        agent: name(agent),
        call: callId,
        hypothesis: text(hypothesis),
        id,
        kind,
        lock,
        next_step: text(nextStep),
        operation: name(operation),
        principal: name(principal),
        severity,
        tenant: name(tenant),
      }
    }
    case 'policy.notice':
      return {
        agent: name(event.agent),
        call: event.callId,
        groups: event.groups.map(name),
        obligation: name(event.obligation),
        operation: name(event.operation),
        outcome: event.outcome,
        principal: name(event.principal),
        risk: event.risk,
        tenant: name(event.tenant),
        upstream_status: event.upstreamStatus,
      }
    default:
      return assertNever(event)
  }
}

function approvalFacts({ id, kind, state, subject, terms, votes }: Approval) {
  return {
    agent: name(subject.agent.id),
    approval: id,
    call: subject.callId,
    connector: subject.connector,
    count: terms.count,
    escalation_group: name(terms.escalationGroup),
    expires_at: isoTime(terms.expiresAtMs),
    groups: terms.groups.map(name),
    kind,
    operation: name(subject.operation),
    policy: subject.policy.digest,
    principal: name(subject.principal),
    reasons: subject.reasons.slice(0, 32).map(({ code, rule }) => ({ code, rule })),
    risk: subject.risk,
    state,
    task: name(subject.task),
    tenant: name(subject.tenant),
    view_digest: subject.viewDigest,
    votes: votes.map(({ person, verdict, atMs }) => ({
      at: isoTime(atMs),
      person: name(person.id),
      verdict,
    })),
  }
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}

function name(untrusted: string): string {
  return printable(untrusted, NAME_LIMIT)
}

/** Free text that somebody typed: what looks like a secret in it goes to nobody. */
function text(untrusted: string): string {
  return scrub(untrusted, TEXT_LIMIT)
}
