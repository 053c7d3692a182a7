import type { Config } from './config.ts'
import { adminSchema } from './schema-admin.ts'
import { breakersSchema, limitsSchema } from './schema-limits.ts'
import { approvalsSchema } from './schema-approvals.ts'
import { connectorSchema } from './schema-connector.ts'
import { detectionsSchema } from './schema-detections.ts'
import { detectorsSchema } from './schema-detectors.ts'
import { exportsSchema } from './schema-exports.ts'
import { identitySchema } from './schema-identity.ts'
import { notifySchema } from './schema-notify.ts'
import { locksSchema } from './schema-locks.ts'
import { policySchema } from './schema-policy.ts'
import { tlsSchema } from './schema-tls.ts'
import { closed, file, integer, milliseconds, oneOf, optional, text } from './schema-parts.ts'
import { storeSchema } from './schema-store.ts'

const listen = closed({
  host: text({ default: '127.0.0.1' }),
  port: integer(0, 65_535, 8080),
  tls: tlsSchema,
  externalOrigins: {
    type: 'array',
    items: { type: 'string', format: 'origin' },
    default: [],
    description:
      'Origins callers use, one at least for each port and host name of a connector; proofs are checked against these',
  },
  externalPathPrefix: { type: 'string', pattern: '^(/[A-Za-z0-9._~-]+)*$', default: '' },
  admin: adminSchema,
  headerLimitBytes: integer(4_096, 131_072, 32_768),
  headersTimeoutMs: milliseconds(100, 120_000, 10_000),
  requestTimeoutMs: milliseconds(100, 3_600_000, 60_000),
  keepAliveTimeoutMs: milliseconds(100, 600_000, 65_000),
  maxConnections: integer(1, 1_000_000, 10_000),
  maxCallsInFlight: integer(1, 100_000, 2_000),
  connectionMaxAgeMs: milliseconds(1_000, 86_400_000, 600_000),
  drain: closed({
    graceMs: milliseconds(0, 600_000, 5_000),
    deadlineMs: milliseconds(0, 3_600_000, 30_000),
  }),
})

const durability = (fallback: string) => oneOf(['flushed', 'strict'], fallback)

const witnessesSchema = {
  ...optional(
    closed({
      quorum: { ...integer(1, 32), description: 'How many have to cosign a checkpoint of the fleet log' },
      each: {
        type: 'array',
        minItems: 1,
        maxItems: 32,
        items: {
          ...optional(
            closed({
              key: text({ description: 'Verifier key that the witness prints', maxLength: 512 }),
              url: text({ format: 'upstream', description: 'http(s) origin, with a base path if need be' }),
              caFile: file('CA of the witness'),
              timeoutMs: milliseconds(100, 60_000, 5_000),
            }),
          ),
          required: ['key', 'url'],
        },
      },
    }),
  ),
  required: ['quorum', 'each'],
}

const audit = closed({
  directory: file('Where the audit logs live', '.toolgate/audit'),
  deployment: text({
    maxLength: 128,
    pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$',
    default: 'toolgate',
    description:
      'First part of the name of every log, and name of the key that signs its checkpoints; best a host name with no scheme, its own for each machine',
  }),
  signingKeyFile: file(
    'PEM private key, Ed25519 or ECDSA P-256, that signs checkpoints; in directory, made at the first start, when left out',
  ),
  durability: closed({ read: durability('flushed'), write: durability('strict') }),
  segmentLimitBytes: integer(65_536, 1_073_741_824, 67_108_864),
  checkpointIntervalMs: milliseconds(50, 60_000, 1_000),
  idleCheckpointIntervalMs: milliseconds(1_000, 3_600_000, 60_000),
  retentionDays: {
    ...integer(1, 36_500, 2_190),
    description: 'Days of the log that toolgate audit prune keeps',
  },
  disclosures: closed({
    enabled: {
      type: 'boolean',
      default: true,
      description:
        'Keep policy inputs and declared text, encrypted, apart from the log, which only commits to them',
    },
    directory: file('Where they are kept; `disclosures` beside audit.directory, when left out'),
    keyFile: file(
      'Their master key, 32 bytes, made at the first start; `disclosures.key` beside audit.directory, when left out',
    ),
    retentionDays: { ...integer(1, 36_500, 400), description: 'Days that toolgate audit prune keeps' },
  }),
  exports: exportsSchema,
  witnesses: witnessesSchema,
})

const telemetry = closed({
  logLevel: oneOf(['debug', 'info', 'warn', 'error'], 'info'),
  logDestination: text({ default: 'stdout', description: 'stdout, stderr or a file' }),
})

const sections = {
  listen,
  workers: integer(1, 256, 1),
  identity: identitySchema,
  policy: policySchema,
  store: storeSchema,
  limits: limitsSchema,
  breakers: breakersSchema,
  locks: locksSchema,
  connectors: {
    type: 'object',
    propertyNames: { pattern: '^[a-z][a-z0-9-]{0,62}$' },
    additionalProperties: connectorSchema,
    minProperties: 1,
  },
  approvals: approvalsSchema,
  audit,
  notify: notifySchema,
  detectors: detectorsSchema,
  detections: detectionsSchema,
  telemetry,
} satisfies Record<keyof Config, unknown>

/** JSON Schema of toolgate.yaml; `toolgate config --schema` prints it and ajv fills its defaults in. */
export const configSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  $id: 'urn:toolgate:config',
  title: 'toolgate.yaml',
  type: 'object',
  additionalProperties: false,
  required: ['identity', 'connectors'],
  properties: { $schema: { type: 'string' }, ...sections },
}

export function isSection(name: string): name is keyof Config {
  return Object.hasOwn(sections, name)
}
