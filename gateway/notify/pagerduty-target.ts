import { createHash } from 'node:crypto'
import type { Outbound } from '../egress/outbound.ts'
import { assertNever } from '../lib/assert-never.ts'
import { type NotifyEvent } from './event.ts'
import { factsOf, isoTime, summaryOf } from './event-facts.ts'
import { isApprovalNews } from './approval-news.ts'
import { errorOfStatus, type NotifyTarget } from './target.ts'

export interface PagerDutyTargetOptions {
  readonly outbound: Outbound
  readonly deployment: string
  /** Asked for at every request, so that it can rotate. */
  readonly routingKey: () => string
}

type Severity = 'critical' | 'error' | 'warning' | 'info'

/** Longest `dedup_key` that the Events API takes. */
const DEDUP_KEY_LIMIT = 255

/**
 * Tells a service of PagerDuty, or of what speaks its Events API v2: what begins triggers an alert, and what ends it
 * resolves the same one. A lock, an approval, and what one agent is seen doing, each have one alert, however many events.
 *
 * @see https://developer.pagerduty.com/docs/events-api-v2-overview
 */
export function createPagerDutyTarget({
  outbound,
  deployment,
  routingKey,
}: PagerDutyTargetOptions): NotifyTarget {
  return {
    async deliver(event, signal) {
      const message = { routing_key: routingKey(), ...pagerDutyEvent(event, deployment) }
      const { status, retryAfterMs } = await outbound.post({
        resource: '',
        headers: { 'content-type': 'application/json' },
        body: Buffer.from(JSON.stringify(message)),
        signal,
      })
      if (status !== 202) throw errorOfStatus(status, retryAfterMs)
    },
    [Symbol.asyncDispose]: () => outbound[Symbol.asyncDispose](),
  }
}

/** An event in the form of the Events API v2, all but its routing key. */
export function pagerDutyEvent(event: NotifyEvent, deployment: string): object {
  const key = { dedup_key: dedupKeyOf(`toolgate:${deployment}:${aboutOf(event)}`) }
  if (isEnd(event)) return { ...key, event_action: 'resolve' }
  return {
    ...key,
    event_action: 'trigger',
    client: 'Toolgate',
    payload: {
      summary: summaryOf(event),
      source: deployment,
      severity: severityOf(event),
      timestamp: isoTime(event.atMs),
      component: 'toolgate',
      group: groupOf(event),
      class: event.type,
      custom_details: factsOf(event),
    },
  }
}

function dedupKeyOf(key: string): string {
  if (key.length <= DEDUP_KEY_LIMIT) return key
  return `toolgate:${createHash('sha256').update(key).digest('hex')}`
}

/** What an event is about, the same from its beginning to its end. */
function aboutOf(event: NotifyEvent): string {
  if (isApprovalNews(event)) return `approval:${event.approval.id}`
  switch (event.type) {
    case 'detection.raised':
      return `detection:${event.detection.kind}:${event.detection.tenant}:${event.detection.agent}`
    case 'policy.notice':
      return `notice:${event.callId}:${event.obligation}`
    case 'lock.set':
    case 'lock.released':
    case 'lock.expired':
    case 'lock.release_requested':
      return `lock:${event.lock.id}`
    default:
      return assertNever(event)
  }
}

/** A detection ends when somebody says so; what is told once never does. */
function isEnd(event: NotifyEvent): boolean {
  if (isApprovalNews(event)) return event.approval.state !== 'pending'
  return event.type === 'lock.released' || event.type === 'lock.expired'
}

function severityOf(event: NotifyEvent): Severity {
  if (isApprovalNews(event)) return event.approval.subject.risk >= 8 ? 'error' : 'warning'
  switch (event.type) {
    case 'detection.raised':
      return event.detection.severity
    case 'policy.notice':
      return 'info'
    case 'lock.set':
      return event.lock.scope === 'all' || event.lock.scope === 'writes' ? 'critical' : 'error'
    case 'lock.released':
    case 'lock.expired':
    case 'lock.release_requested':
      return 'warning'
    default:
      return assertNever(event)
  }
}

function groupOf(event: NotifyEvent): string {
  if (isApprovalNews(event)) return event.approval.subject.connector
  if (event.type === 'detection.raised') return event.detection.kind
  return event.type.slice(0, event.type.indexOf('.'))
}
