import {
  decisionLogSchema,
  labelsSchema,
  resource,
  serviceSettings,
  statusReportsSchema,
} from './schema-decision-log.ts'
import { closed, file, integer, milliseconds, oneOf, optional, text } from './schema-parts.ts'

const verification = {
  ...optional(
    closed({
      keyFile: file('PEM public key, or certificate, that bundles are signed with'),
      algorithm: oneOf(['ES256', 'ES384', 'EdDSA', 'PS256', 'RS256']),
      scope: {
        type: 'string',
        maxLength: 256,
        default: '',
        description: 'Scope that bundles are signed for',
      },
      keyId: text({ maxLength: 256 }),
    }),
  ),
  required: ['keyFile', 'algorithm'],
}

const service = {
  ...optional(
    closed({
      ...serviceSettings,
      resource: resource({ description: 'Path of the bundle below `url`' }),
      pollMinMs: milliseconds(1_000, 86_400_000, 60_000),
      pollMaxMs: milliseconds(1_000, 86_400_000, 120_000),
      longPollMs: milliseconds(1_000, 3_600_000),
      maxBytes: integer(1_024, 33_554_432, 33_554_432),
      directory: file('Where the last good bundle is kept', '.toolgate/policy'),
    }),
  ),
  required: ['url', 'resource'],
}

/** `policy` names the bundle of the rules wherever bundles are listed. */
const data = {
  type: 'object',
  default: {},
  maxProperties: 64,
  propertyNames: { pattern: '^(?!policy$)[a-z][a-z0-9-]{0,62}$' },
  additionalProperties: optional(
    closed({
      bundle: file('Bundle of data alone (.tar.gz) made by opa build; or from a service'),
      service,
      verification,
      roots: {
        type: 'array',
        items: text({ pattern: '^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$', maxLength: 512 }),
        minItems: 1,
        uniqueItems: true,
        description: 'Paths that the roots of its manifest have to lie below',
      },
    }),
  ),
  description: 'Bundles of data alone, by name, merged under their roots into that of the rules',
}

const shadow = optional(
  closed({
    bundle: file('Bundle of rules (.tar.gz) to try out beside the live one; or from a service'),
    service,
    verification,
    sample: {
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 1,
      default: 1,
      description: 'Share of the calls that are decided a second time',
    },
  }),
)

export const policySchema = closed({
  bundle: file('Policy bundle (.tar.gz) made by opa build', '@policies-rego/bundle.tar.gz'),
  watch: { type: 'boolean', default: true },
  service,
  data,
  shadow,
  timeZone: { type: 'string', format: 'time-zone', default: 'UTC' },
  businessHours: closed({
    days: {
      type: 'array',
      items: { enum: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] },
      uniqueItems: true,
      default: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'],
    },
    fromHour: integer(0, 23, 8),
    toHour: integer(1, 24, 18),
  }),
  memoryLimitPages: integer(16, 65_536, 4_096),
  isolation: oneOf(['none', 'worker'], 'none'),
  budgetMs: milliseconds(1, 60_000, 100),
  verification,
  labels: labelsSchema,
  decisionLog: decisionLogSchema,
  status: statusReportsSchema,
})
