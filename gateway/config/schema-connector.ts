import { closed, file, integer, list, milliseconds, oneOf, optional, secret, text } from './schema-parts.ts'

const environment = ['production', 'staging', 'development', 'unknown']
const headerName = { type: 'string', format: 'credential-header' }

/** The credential's own members are demanded by its type, so that a mistake is reported against the right shape. */
const credential = {
  type: 'object',
  additionalProperties: false,
  required: ['type'],
  properties: {
    type: oneOf(['none', 'bearer', 'basic', 'header']),
    token: secret('Bearer token'),
    // RFC 7617 §2: the first colon ends the user name, so it cannot have one.
    username: text({ pattern: '^[^:]*$' }),
    password: secret('Password or API token'),
    name: headerName,
    value: secret('Header value'),
  },
  allOf: [
    needs('bearer', ['token'], ['username', 'password', 'name', 'value']),
    needs('basic', ['username', 'password'], ['token', 'name', 'value']),
    needs('header', ['name', 'value'], ['token', 'username', 'password']),
    needs('none', [], ['token', 'username', 'password', 'name', 'value']),
  ],
}

function needs(type: string, required: readonly string[], refused: readonly string[]): unknown {
  const properties = Object.fromEntries(refused.map((member) => [member, false]))
  // oxlint-disable-next-line unicorn/no-thenable -- `then` is JSON Schema's keyword
  return { if: { properties: { type: { const: type } } }, then: { required, properties } }
}

export const connectorSchema = {
  ...optional(
    closed({
      origin: text({ format: 'upstream', description: 'http(s) origin, with a base path if need be' }),
      address: closed({
        prefix: { type: 'string', pattern: '^(/[A-Za-z0-9._~-]+)+$' },
        hosts: list({ type: 'string', format: 'host' }),
        port: integer(1, 65_535),
      }),
      credential,
      environments: list({
        type: 'object',
        additionalProperties: false,
        required: ['resource', 'value', 'environment'],
        properties: {
          resource: oneOf(['project', 'repository', 'channel', 'account']),
          value: text({ pattern: '^[^*]+\\*?$' }),
          environment: oneOf(environment),
        },
      }),
      environment: oneOf(environment, 'unknown'),
      allowAddresses: list({ type: 'string', format: 'cidr' }),
      caFile: file('CA of the upstream'),
      connections: integer(1, 10_000, 128),
      connectTimeoutMs: milliseconds(10, 120_000, 5_000),
      replyTimeoutMs: milliseconds(10, 3_600_000, 30_000),
      idleTimeoutMs: milliseconds(10, 3_600_000, 60_000),
      bodyLimitBytes: integer(0, 1_073_741_824),
      rewriteBodyLinks: { type: 'boolean', default: false },
    }),
  ),
  required: ['credential'],
}
