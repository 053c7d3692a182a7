import { assertNever } from '../../lib/assert-never.ts'
import type { ApprovalNews, NotifyEvent } from '../event.ts'
import type { SlackMessage } from './approval-message.ts'
import { freeIn, nameIn, section, timeIn } from './mrkdwn.ts'

type OtherNews = Exclude<NotifyEvent, ApprovalNews>

/** What is told once and needs no answer. */
export function newsMessage(event: OtherNews): SlackMessage {
  const text = lineOf(event)
  return {
    text,
    blocks: [
      section(text),
      { type: 'context', elements: [{ type: 'mrkdwn', text: footOf(event), verbatim: true }] },
    ],
  }
}

function lineOf(event: OtherNews): string {
  switch (event.type) {
    case 'lock.set':
      return `:lock: *Lock set* on ${nameIn(event.lock.scope)} by ${nameIn(event.by)}: ${freeIn(event.lock.reason)}`
    case 'lock.released':
      return `:unlock: *Lock released* on ${nameIn(event.lock.scope)} by ${nameIn(event.by)}`
    case 'lock.expired':
      return `:unlock: *Lock expired* on ${nameIn(event.lock.scope)}`
    case 'lock.release_requested':
      return `:lock: ${nameIn(event.by)} asks for the release of the lock on ${nameIn(event.lock.scope)}. *Somebody else has to release it.*`
    case 'detection.raised': {
      const { kind, agent, principal, hypothesis, nextStep, lock } = event.detection
      const whose = principal === '' ? nameIn(agent) : `${nameIn(agent)} for ${nameIn(principal)}`
      const locked = lock === '' ? '' : '\n:lock: It has been locked.'
      return `:rotating_light: *${nameIn(kind)}* of ${whose}: ${freeIn(hypothesis)}\nNext: ${freeIn(nextStep)}${locked}`
    }
    case 'policy.notice': {
      const { agent, principal, operation, outcome, risk } = event
      return `${nameIn(agent)} called ${nameIn(operation)} for ${nameIn(principal)}, risk ${String(risk)} of 10: ${nameIn(outcome)}`
    }
    default:
      return assertNever(event)
  }
}

function footOf(event: OtherNews): string {
  const at = timeIn(event.atMs)
  switch (event.type) {
    case 'lock.set':
    case 'lock.released':
    case 'lock.expired':
    case 'lock.release_requested': {
      const { id, expiresAtMs } = event.lock
      const until = event.type === 'lock.set' && expiresAtMs > 0 ? `, until ${timeIn(expiresAtMs)}` : ''
      return `${at}, lock ${nameIn(id)}${until}`
    }
    case 'detection.raised':
      return `${at}, tenant ${nameIn(event.detection.tenant)}, call ${nameIn(event.detection.callId)}`
    case 'policy.notice':
      return `${at}, tenant ${nameIn(event.tenant)}, call ${nameIn(event.callId)}, rule ${nameIn(event.obligation)}`
    default:
      return assertNever(event)
  }
}
