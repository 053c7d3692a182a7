import { EVENT_FAMILIES, EVENT_TYPES } from '../notify/event.ts'
import { closed, file, integer, list, milliseconds, optional, secret, text } from './schema-parts.ts'

/** How a place is reached. */
const outbound = (url: Record<string, unknown>) => ({
  url: text({ format: 'upstream', ...url }),
  timeoutMs: milliseconds(100, 60_000, 10_000),
  allowAddresses: list({ type: 'string', format: 'cidr' }),
  caFile: file('PEM file of the only authorities trusted for it'),
})

const webhookSchema = {
  ...optional(
    closed({
      ...outbound({ description: 'Where events are posted to, as JSON' }),
      token: secret('Bearer token'),
      signingSecrets: list(secret('Secret that requests are signed with, as Standard Webhooks are'), {
        maxItems: 2,
        description: 'One, or two while the receiver changes over to the next',
      }),
      view: {
        type: 'boolean',
        default: true,
        description: 'Send what approvers are shown, which may hold what the call holds',
      },
    }),
  ),
  required: ['url'],
}

const pagerdutySchema = {
  ...optional(
    closed({
      ...outbound({
        default: 'https://events.pagerduty.com/v2/enqueue',
        description: 'Events API v2, or what speaks it',
      }),
      routingKey: secret('Integration key of the service'),
    }),
  ),
  required: ['routingKey'],
}

export const notifySchema = closed({
  targets: {
    type: 'object',
    default: {},
    maxProperties: 32,
    propertyNames: { pattern: '^[a-z][a-z0-9-]{0,62}$' },
    additionalProperties: optional(
      closed({
        events: list(
          { enum: [...EVENT_FAMILIES, ...EVENT_TYPES] },
          { uniqueItems: true, maxItems: 64, description: 'Types or families of events; all without any' },
        ),
        groups: list(text({ maxLength: 256 }), {
          uniqueItems: true,
          maxItems: 256,
          description: 'Groups that are told here of what is their business; all without any',
        }),
        webhook: webhookSchema,
        pagerduty: pagerdutySchema,
      }),
    ),
    description: 'Who is told of approvals, locks and detections, by name; each names one place',
  },
  queue: closed({
    limitEvents: integer(1, 100_000, 1_000),
    giveUpMs: milliseconds(1_000, 86_400_000, 900_000),
  }),
})
