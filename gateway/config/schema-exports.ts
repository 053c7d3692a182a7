import { resource, serviceSettings } from './schema-decision-log.ts'
import { closed, file, integer, oneOf, optional, secret, text } from './schema-parts.ts'

const { timeoutMs, clientCertificateFile, clientKeyFile, caFile } = serviceSettings

/** By name; each names one place. */
export const exportsSchema = {
  type: 'object',
  default: {},
  maxProperties: 16,
  propertyNames: { pattern: '^[a-z][a-z0-9-]{0,62}$' },
  additionalProperties: optional(
    closed({
      format: oneOf(['entry', 'ocsf'], 'entry'),
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
      syslog: {
        ...optional(
          closed({
            host: text({ maxLength: 253, pattern: '^[A-Za-z0-9.:_-]+$', description: 'Name or address' }),
            port: integer(1, 65_535, 6_514),
            tls: { type: 'boolean', default: true, description: 'Without it only on loopback' },
            timeoutMs,
            clientCertificateFile,
            clientKeyFile,
            caFile,
          }),
        ),
        required: ['host'],
      },
    }),
  ),
  description: 'Where the record is copied to as it grows, by name',
}
