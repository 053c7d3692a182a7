import { resource, serviceSettings } from './schema-decision-log.ts'
import { closed, file, integer, milliseconds, oneOf, optional, secret, text } from './schema-parts.ts'

const { url, timeoutMs, clientCertificateFile, clientKeyFile, caFile } = serviceSettings

const s3Schema = {
  ...optional(
    closed({
      url,
      timeoutMs,
      clientCertificateFile,
      clientKeyFile,
      caFile,
      region: text({ pattern: '^[a-z0-9-]+$', maxLength: 64, default: 'us-east-1' }),
      bucket: text({ pattern: '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$' }),
      prefix: {
        type: 'string',
        pattern: '^([A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*)?$',
        maxLength: 256,
        default: '',
      },
      accessKeyId: secret('Id of the access key'),
      secretAccessKey: secret('The access key itself'),
      gatherMs: milliseconds(250, 3_600_000, 60_000),
      objectLock: {
        ...optional(
          closed({
            mode: oneOf(['GOVERNANCE', 'COMPLIANCE']),
            retentionDays: integer(1, 36_500),
          }),
        ),
        required: ['mode', 'retentionDays'],
      },
    }),
  ),
  required: ['url', 'bucket', 'accessKeyId', 'secretAccessKey'],
}

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
      s3: s3Schema,
    }),
  ),
  description: 'Where the record is copied to as it grows, by name',
}
