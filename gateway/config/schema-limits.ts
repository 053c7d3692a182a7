import { closed, integer, list, milliseconds, oneOf, optional, text } from './schema-parts.ts'

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
