import type { Outbound } from '../egress/outbound.ts'
import type { Clock } from '../lib/clock.ts'
import { webhookHeaders } from '../lib/standard-webhook.ts'
import { eventIdOf, type NotifyEvent } from './event.ts'
import { factsOf, isoTime, summaryOf } from './event-facts.ts'
import { isApprovalNews } from './approval-news.ts'
import { errorOfStatus, type NotifyTarget } from './target.ts'

export interface WebhookTargetOptions {
  readonly outbound: Outbound
  /** Part of what a receiver of several gateways tells them apart by. */
  readonly deployment: string
  /** Each is asked for at every request, so that it can rotate. */
  readonly token: (() => string) | undefined
  readonly signingSecrets: readonly (() => string)[]
  /** Whether to send what approvers are shown. */
  readonly view: boolean
  readonly clock: Pick<Clock, 'nowMs'>
}

/**
 * Posts each event as one JSON object, signed. Its answer says only whether it arrived: whoever wants to decide about an
 * approval says so where people and channels prove who they are.
 */
export function createWebhookTarget(options: WebhookTargetOptions): NotifyTarget {
  const { outbound, token, signingSecrets, clock } = options
  return {
    async deliver(event, signal) {
      const body = Buffer.from(JSON.stringify(messageOf(event, options)))
      const message = { id: eventIdOf(event), timestamp: Math.floor(clock.nowMs() / 1_000), body }
      const secrets = signingSecrets.map((read) => read())
      const { status, retryAfterMs } = await outbound.post({
        resource: '',
        headers: {
          'content-type': 'application/json',
          ...webhookHeaders(message, secrets),
          ...(token === undefined ? {} : { authorization: `Bearer ${token()}` }),
        },
        body,
        signal,
      })
      if (status < 200 || status > 299) throw errorOfStatus(status, retryAfterMs)
    },
    [Symbol.asyncDispose]: () => outbound[Symbol.asyncDispose](),
  }
}

function messageOf(event: NotifyEvent, { deployment, view }: WebhookTargetOptions): object {
  return {
    type: event.type,
    timestamp: isoTime(event.atMs),
    deployment,
    summary: summaryOf(event),
    data: {
      ...factsOf(event),
      ...(view && isApprovalNews(event) ? { view: event.approval.subject.view } : {}),
    },
  }
}
