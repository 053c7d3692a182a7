import { closed, file, integer, list, milliseconds, oneOf, optional, secret, text } from './schema-parts.ts'

const redis = {
  ...optional(
    closed({
      url: text({ pattern: '^rediss?://[^@]+$', description: 'Without a password: see `password`' }),
      password: secret('Password of the default user'),
      sentinels: list({
        type: 'object',
        additionalProperties: false,
        required: ['host', 'port'],
        properties: { host: text(), port: integer(1, 65_535) },
      }),
      sentinelName: text(),
      timeoutMs: milliseconds(1, 60_000, 250),
      keyPrefix: { type: 'string', pattern: '^[A-Za-z0-9:_-]{0,64}$', default: 'toolgate:' },
      caFile: file('CA of the Redis server'),
      shares: integer(1, 10_000, 1),
      replicas: {
        ...integer(0, 8, 0),
        description: 'Replicas that have to have a lock or an approval before it counts as kept',
      },
    }),
  ),
  required: ['url'],
}

export const storeSchema = closed({
  kind: oneOf(['embedded', 'redis'], 'embedded'),
  controlKind: {
    ...oneOf(['embedded', 'redis']),
    description: 'Where locks and approvals are kept, if not where calls are counted',
  },
  controlFile: file('SQLite file of embedded locks and approvals', '.toolgate/control.db'),
  redis,
  onFailure: closed({
    read: oneOf(['open', 'closed', 'local'], 'local'),
    write: oneOf(['open', 'closed', 'local'], 'closed'),
  }),
})
