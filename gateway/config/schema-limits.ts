import { closed, file, integer, list, milliseconds, oneOf, optional, secret, text } from './schema-parts.ts'

const match = closed({
  connectors: list(text()),
  operations: list(text()),
  access: list({ enum: ['read', 'write', 'execute'] }),
  agents: list(text()),
})

const by = {
  type: 'array',
  items: { enum: ['tenant', 'agent', 'principal', 'connector', 'operation', 'access'] },
  uniqueItems: true,
  minItems: 1,
}

const name = { type: 'string', pattern: '^[a-z][a-z0-9-]{0,62}$' }
const calls = integer(1, 1_000_000_000)
const counted = { name, by, match, calls }

function entry(properties: Record<string, unknown>, required: readonly string[]): Record<string, unknown> {
  return { ...optional(closed(properties)), required }
}

export const limitsSchema = closed({
  rates: list(
    entry({ ...counted, windowMs: milliseconds(1, 86_400_000), burst: integer(1, 1_000_000) }, [
      'name',
      'by',
      'calls',
      'windowMs',
      'burst',
    ]),
    { maxItems: 64 },
  ),
  quotas: list(entry({ ...counted, per: oneOf(['day'], 'day') }, ['name', 'by', 'calls']), { maxItems: 64 }),
  concurrency: list(
    entry({ ...counted, leaseMs: milliseconds(1_000, 3_600_000, 120_000) }, ['name', 'by', 'calls']),
    { maxItems: 64 },
  ),
})

export const breakersSchema = closed({
  upstream: closed({
    failures: integer(1, 10_000, 5),
    windowMs: milliseconds(100, 3_600_000, 10_000),
    openMs: milliseconds(100, 3_600_000, 10_000),
    halfOpenCalls: integer(1, 1_000, 1),
  }),
  agent: closed({
    failures: integer(1, 100_000, 50),
    windowMs: milliseconds(100, 3_600_000, 60_000),
    openMs: milliseconds(100, 3_600_000, 60_000),
  }),
  policy: closed({
    failures: integer(1, 10_000, 10),
    windowMs: milliseconds(100, 3_600_000, 60_000),
    openMs: milliseconds(100, 3_600_000, 60_000),
  }),
})

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
    }),
  ),
  required: ['url'],
}

export const storeSchema = closed({
  kind: oneOf(['embedded', 'redis'], 'embedded'),
  redis,
  onFailure: closed({
    read: oneOf(['open', 'closed', 'local'], 'local'),
    write: oneOf(['open', 'closed', 'local'], 'closed'),
  }),
})
