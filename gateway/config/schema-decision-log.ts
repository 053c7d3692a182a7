import { closed, file, integer, list, milliseconds, oneOf, optional, secret, text } from './schema-parts.ts'

/** A path of a service, below its URL. */
export const resource = (more: Record<string, unknown>) =>
  text({
    // No segment of dots alone: it would lead out of the base path.
    pattern: '^(?!(.*/)?\\.{1,2}(/|$))[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*$',
    maxLength: 512,
    ...more,
  })

/** How any service of a control plane is reached. */
export const serviceSettings = {
  url: text({ format: 'upstream', description: 'http(s) origin, with a base path if need be' }),
  timeoutMs: milliseconds(100, 600_000, 15_000),
  token: secret('Bearer token'),
  clientCertificateFile: file('PEM certificate chain to show to the service'),
  clientKeyFile: file('PEM private key of that certificate'),
  caFile: file('CA of the service'),
}

const service = { ...optional(closed(serviceSettings)), required: ['url'] }

export const decisionLogSchema = {
  ...optional(
    closed({
      service,
      resource: resource({ default: 'logs', description: 'Path that decisions are posted to' }),
      trigger: oneOf(['periodic', 'immediate'], 'periodic'),
      minDelayMs: milliseconds(100, 86_400_000, 300_000),
      maxDelayMs: milliseconds(100, 86_400_000, 600_000),
      uploadLimitBytes: integer(1_024, 16_777_216, 32_768),
      buffer: closed({
        limitBytes: integer(65_536, 68_719_476_736, 67_108_864),
        limitEvents: integer(1, 100_000_000, 1_000_000),
        onFull: oneOf(['drop', 'block', 'deny'], 'drop'),
        blockTimeoutMs: milliseconds(1, 60_000, 1_000),
        directory: file('Where decisions wait, so that they outlive the process; in memory without'),
      }),
      maxDecisionsPerSecond: integer(1, 1_000_000),
      requestHeaders: list(text({ pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", maxLength: 128 }), {
        maxItems: 32,
        uniqueItems: true,
        description: 'Headers of the call to log; none that carries a credential',
      }),
    }),
  ),
  required: ['service'],
}

export const statusReportsSchema = {
  ...optional(
    closed({
      service,
      resource: resource({ default: 'status', description: 'Path that status is posted to' }),
      metrics: { type: 'boolean', default: false, description: 'Send the metrics with every report' },
    }),
  ),
  required: ['service'],
}

/** What tells this gateway apart from others; `id` and `version` are ours. */
export const labelsSchema = {
  type: 'object',
  propertyNames: { pattern: '^(?!(id|version)$)[A-Za-z][A-Za-z0-9_./-]{0,62}$' },
  additionalProperties: { type: 'string', maxLength: 256 },
  maxProperties: 32,
  default: {},
}
