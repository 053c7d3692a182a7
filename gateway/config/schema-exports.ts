import { resource, serviceSettings } from './schema-decision-log.ts'
import { closed, file, integer, oneOf, optional, secret } from './schema-parts.ts'

/** By name; each names one place. */
export const exportsSchema = {
  type: 'object',
  default: {},
  maxProperties: 16,
  propertyNames: { pattern: '^[a-z][a-z0-9-]{0,62}$' },
  additionalProperties: optional(
    closed({
      format: oneOf(['entry'], 'entry'),
      batchEntries: integer(1, 5_000, 500),
      file: file('File that entries are added to, as JSON Lines'),
      webhook: {
        ...optional(
          closed({
            ...serviceSettings,
            resource: resource({ default: 'audit', description: 'Path that entries are posted to' }),
            signingSecret: secret('Secret that requests are signed with, as Standard Webhooks are'),
          }),
        ),
        required: ['url'],
      },
    }),
  ),
  description: 'Where the record is copied to as it grows, by name',
}
