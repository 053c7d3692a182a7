import { closed, file, list, milliseconds, oneOf, optional, secret, text } from './schema-parts.ts'

export const algorithms = (fallback: readonly string[]) =>
  list({ enum: ['ES256', 'ES384', 'EdDSA', 'Ed25519', 'PS256', 'RS256'] }, { minItems: 1, default: fallback })

/** Keys come from a URI or a file; defaults of the remote kind are harmless beside a file. */
export const jwks = {
  ...optional(
    closed({
      uri: text({ format: 'uri' }),
      file: file('JWK Set'),
      cooldownMs: milliseconds(0, 3_600_000, 30_000),
      timeoutMs: milliseconds(100, 60_000, 3_000),
      cacheMaxAgeMs: milliseconds(1_000, 86_400_000, 600_000),
      staleIfErrorMs: milliseconds(0, 604_800_000, 3_600_000),
      caFile: file('CA of the key server'),
    }),
  ),
  oneOf: [{ required: ['uri'] }, { required: ['file'] }],
}

const issuer = {
  ...optional(
    closed({
      issuer: text({ format: 'uri' }),
      audiences: list(text(), { minItems: 1 }),
      algorithms: algorithms(['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256']),
      jwks,
      claims: closed({
        agent: text({ default: 'client_id' }),
        principal: text({ default: 'sub' }),
        tenant: text({ default: 'tenant' }),
        groups: text({ default: 'groups' }),
        deviceCompliant: text({ default: 'device_compliant' }),
      }),
      requiredScopes: list(text()),
      tenant: text({ description: 'Tenant of every token of this issuer' }),
      tenants: list(text(), { description: 'Tenants that this issuer may name in its tokens' }),
      clockSkewMs: milliseconds(0, 300_000, 5_000),
    }),
  ),
  required: ['issuer', 'audiences', 'jwks'],
}

const forwardedCertificate = {
  ...optional(
    closed({
      header: oneOf(['x-forwarded-client-cert', 'client-cert']),
      trustedPeers: list(text(), { minItems: 1 }),
      by: text(),
    }),
  ),
  required: ['header', 'trustedPeers'],
}

export const identitySchema = {
  ...closed({
    issuers: { type: 'array', items: issuer, minItems: 1 },
    dpop: closed({
      algorithms: algorithms(['ES256', 'EdDSA', 'PS256', 'RS256']),
      // Hard maximum of 300 s: a proof is a one-time statement of now, not a session.
      maxAgeMs: milliseconds(1_000, 300_000, 60_000),
      maxSkewMs: milliseconds(0, 300_000, 10_000),
      nonce: oneOf(['off', 'required'], 'off'),
      nonceSecret: secret('Shared by the fleet; 32 bytes or more'),
    }),
    forwardedCertificate,
    resource: closed({
      documentation: text({ format: 'uri' }),
      scopesSupported: list(text()),
    }),
    dangerouslyAllowUnboundTokens: { type: 'boolean', default: false },
  }),
  required: ['issuers'],
}
