import { algorithms, jwks } from './schema-identity.ts'
import { closed, integer, list, milliseconds, optional, secret, text } from './schema-parts.ts'
import { tlsSchema } from './schema-tls.ts'

const name = text({ maxLength: 512 })
const groups = list(name, { maxItems: 256 })

const peopleIssuer = {
  ...optional(
    closed({
      issuer: text({ format: 'uri' }),
      audiences: list(text(), {
        minItems: 1,
        description: 'Audiences of this listener alone; none that tokens of agents are for',
      }),
      algorithms: algorithms(['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256']),
      jwks,
      claims: closed({ id: text({ default: 'sub' }), groups: text({ default: 'groups' }) }),
      requiredScopes: list(text()),
      clockSkewMs: milliseconds(0, 300_000, 5_000),
    }),
  ),
  required: ['issuer', 'audiences', 'jwks'],
}

const certifiedPerson = {
  ...optional(
    closed({
      uri: text({ format: 'uri', description: 'URI name of the certificate, such as a SPIFFE ID' }),
      subject: text({ description: 'Whole subject, as openssl x509 -subject -nameopt RFC2253 prints it' }),
      id: { ...name, description: 'The person, by the name that tokens have for them as a principal' },
      groups,
    }),
  ),
  required: ['id'],
  oneOf: [{ required: ['uri'] }, { required: ['subject'] }],
}

export const adminSchema = closed({
  host: text({ default: '127.0.0.1' }),
  port: integer(0, 65_535, 9090),
  token: secret('Bearer token of operators; required off loopback, unless people are known by name'),
  externalOrigins: list(
    { type: 'string', format: 'origin' },
    {
      maxItems: 16,
      description: 'Origins by which people reach this listener; proofs are checked against these',
    },
  ),
  tls: tlsSchema,
  people: closed({
    issuers: list(peopleIssuer, { maxItems: 16 }),
    certificates: list(certifiedPerson, { maxItems: 1_000 }),
    operatorGroups: { ...groups, description: 'Groups that may see metrics, state and configuration' },
    barred: list(name, {
      maxItems: 1_000,
      description: 'People whose answers to approvals do not count, those that were given before included',
    }),
  }),
})
