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

const groups = (more: Record<string, unknown> = {}) =>
  list(text({ maxLength: 256 }), { uniqueItems: true, maxItems: 256, ...more })

const person = {
  ...optional(closed({ person: text({ maxLength: 256 }), groups: groups() })),
  required: ['person'],
}

const receivedSecrets = list(secret('Secret that messages are signed with'), {
  minItems: 1,
  maxItems: 2,
  description: 'One, or two while the sender changes over to the next',
})

const slackSchema = {
  ...optional(
    closed({
      ...outbound({ default: 'https://slack.com/api', description: 'Web API' }),
      teamId: text({ pattern: '^T[A-Z0-9]{1,30}$', description: 'Id of the workspace' }),
      appId: text({ pattern: '^A[A-Z0-9]{1,30}$', description: 'Id of the app, which is for this alone' }),
      token: secret('Bot token'),
      signingSecrets: receivedSecrets,
      people: {
        type: 'object',
        default: {},
        maxProperties: 10_000,
        propertyNames: { pattern: '^[UW][A-Z0-9]{1,30}$' },
        additionalProperties: person,
        description: 'Who the users of the workspace are, by their ids; all others may decide nothing',
      },
      lockGroups: groups({ description: 'Groups that may set, list and release locks' }),
    }),
  ),
  required: ['teamId', 'appId', 'token', 'signingSecrets'],
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
        groups: groups({
          description: 'Groups that are told here of what is their business; all without any',
        }),
        webhook: webhookSchema,
        pagerduty: pagerdutySchema,
        slack: {
          ...optional(closed({ channel: text({ pattern: '^[CG][A-Z0-9]{1,30}$', description: 'Its id' }) })),
          required: ['channel'],
        },
      }),
    ),
    description: 'Who is told of approvals, locks and detections, by name; each names one place',
  },
  slack: slackSchema,
  voteSenders: {
    type: 'object',
    default: {},
    maxProperties: 16,
    propertyNames: { pattern: '^[a-z][a-z0-9-]{0,62}$' },
    additionalProperties: {
      ...optional(
        closed({
          signingSecrets: receivedSecrets,
          people: {
            type: 'object',
            default: {},
            maxProperties: 10_000,
            propertyNames: { minLength: 1, maxLength: 256 },
            additionalProperties: person,
            description: 'Who people are, by what the sender calls them; all others may decide nothing',
          },
        }),
      ),
      required: ['signingSecrets'],
    },
    description: 'Services that may send the votes of people as signed webhooks, by name',
  },
  queue: closed({
    limitEvents: integer(1, 100_000, 1_000),
    giveUpMs: milliseconds(1_000, 86_400_000, 900_000),
  }),
})
