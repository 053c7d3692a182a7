import { describe, expect, test } from 'vitest'
import type { DpopConfig } from '../../gateway/config/config.ts'
import {
  matchResourceMetadata,
  metadataUrl,
  protectedResourceMetadata,
  resourcesOf,
} from '../../gateway/identity/resource-metadata.ts'
import type { ResourceConfig } from '../../gateway/identity/resource-metadata.ts'
import { startIdentifyServer } from '../harness/identify-server.ts'
import { issuerConfig, startIssuer } from '../harness/issuer.ts'

const ORIGIN = 'https://gw.bank.example'
const ISSUER = 'https://login.bank.example'
const dpop: DpopConfig = {
  algorithms: ['ES256', 'EdDSA'],
  maxAgeMs: 60_000,
  maxSkewMs: 10_000,
  nonce: 'off',
  nonceSecret: undefined,
}

function config(more: {
  readonly audiences?: readonly string[]
  readonly prefix?: string
  readonly origins?: readonly string[]
  readonly certificates?: boolean
}): ResourceConfig {
  return {
    identity: {
      issuers: [{ ...issuerConfig(ISSUER, ['ES256']), audiences: more.audiences ?? [ORIGIN] }],
      dpop,
      forwardedCertificate: undefined,
      resource: { documentation: 'https://docs.bank.example', scopesSupported: ['tools:read'] },
      dangerouslyAllowUnboundTokens: false,
    },
    listen: {
      externalOrigins: more.origins ?? [ORIGIN],
      externalPathPrefix: more.prefix ?? '',
      tls:
        more.certificates === true
          ? {
              certificateFile: 'a',
              keyFile: 'b',
              clientCaFile: 'c',
              crlFile: undefined,
              clientCertificate: 'request',
            }
          : undefined,
    },
  }
}

describe('the metadata document (RFC 9728 §2)', () => {
  test('says who issues tokens, and that they have to be DPoP-bound', () => {
    expect(protectedResourceMetadata(config({}), '')).toEqual({
      resource: ORIGIN,
      authorization_servers: [ISSUER],
      bearer_methods_supported: ['header'],
      scopes_supported: ['tools:read'],
      resource_documentation: 'https://docs.bank.example',
      dpop_signing_alg_values_supported: ['ES256', 'EdDSA'],
      dpop_bound_access_tokens_required: true,
      tls_client_certificate_bound_access_tokens: false,
    })
  })

  test('says that certificate-bound tokens are taken where a certificate can be sent (RFC 8705 §3.3)', () => {
    expect(protectedResourceMetadata(config({ certificates: true }), '')).toMatchObject({
      dpop_bound_access_tokens_required: false,
      tls_client_certificate_bound_access_tokens: true,
    })
  })
})

describe('where it is found (RFC 9728 §3.1)', () => {
  test.each([
    ['/.well-known/oauth-protected-resource', ''],
    ['/.well-known/oauth-protected-resource/', ''],
    ['/.well-known/oauth-protected-resource/mcp', '/mcp'],
    ['/.well-known/oauth-protected-resourceful', undefined],
    ['/.well-known/openid-configuration', undefined],
    ['/github/.well-known/oauth-protected-resource', undefined],
  ])('%s is about %j', (path, resource) => {
    expect(matchResourceMetadata(path)).toBe(resource)
  })

  test('a path that is an audience is a resource of its own; any other path is none', () => {
    const both = config({ audiences: [ORIGIN, `${ORIGIN}/mcp`] })
    expect(protectedResourceMetadata(both, '/mcp')?.resource).toBe(`${ORIGIN}/mcp`)
    expect(protectedResourceMetadata(both, '/github')).toBeUndefined()
  })

  test('audiences elsewhere are not our resources', () => {
    const foreign = config({ audiences: ['https://other.example/mcp', 'urn:toolgate', ORIGIN] })
    expect(resourcesOf(foreign)).toEqual([{ origin: ORIGIN, path: '' }])
  })

  test('a prefix that a proxy strips is part of the resource', () => {
    const [resource] = resourcesOf(config({ prefix: '/tools' }))
    expect(resource).toEqual({ origin: ORIGIN, path: '/tools' })
    expect(resource && metadataUrl(resource)).toBe(`${ORIGIN}/.well-known/oauth-protected-resource/tools`)
  })

  test('of several origins, Host chooses one that is configured, and names none of its own', () => {
    const several = config({ origins: [ORIGIN, 'https://github.bank.example'] })
    expect(protectedResourceMetadata(several, '', 'github.bank.example')?.resource).toBe(
      'https://github.bank.example',
    )
    expect(protectedResourceMetadata(several, '', 'github.bank.example:443')?.resource).toBe(
      'https://github.bank.example',
    )
    expect(protectedResourceMetadata(several, '', 'evil.example')?.resource).toBe(ORIGIN)
    expect(protectedResourceMetadata(several, '', 'github.bank.example:80')?.resource).toBe(ORIGIN)
  })
})

describe('the challenge points there (RFC 9728 §5.1)', () => {
  test.each([
    ['/mcp', '/mcp'],
    ['/mcp/session', '/mcp'],
    ['/mcpx', ''],
    ['/github/user', ''],
  ])('a call to %s learns of the resource %j', async (path, resource) => {
    await using issuer = await startIssuer()
    const audiences = [ORIGIN, `${ORIGIN}/mcp`]
    await using server = await startIdentifyServer({
      issuers: [{ ...issuer.config, audiences }],
      externalOrigins: [ORIGIN],
    })
    const { challenges } = await server.send({ path })
    expect(challenges[0]).toContain(
      `resource_metadata="${ORIGIN}/.well-known/oauth-protected-resource${resource}"`,
    )
  })
})
