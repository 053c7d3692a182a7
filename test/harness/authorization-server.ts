import { once } from 'node:events'
import { createServer, request } from 'node:https'
import type { RequestOptions } from 'node:https'
import type { IncomingMessage, RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { Provider } from 'oidc-provider'
import type { ClientMetadata, Configuration, KoaContextWithOIDC } from 'oidc-provider'
import type { IssuerConfig } from '../../gateway/config/config.ts'
import { AUDIENCE, issuerConfig } from './issuer.ts'
import type { Certified, Pki } from './pki.ts'
import { signProof } from './proof.ts'
import { generate } from './signing.ts'
import type { ProofKey } from './signing.ts'
import { answerInteraction, personClient, signIn, signInConfiguration } from './sign-in.ts'

export const DPOP_CLIENT = { id: 'dpop-agent', secret: 'dpop-agent-secret-of-the-test' } as const

export const MTLS_CLIENT = { id: 'mtls-agent' } as const
const SCOPE = 'tools:read tools:write'

export interface AuthorizationServerOptions {
  readonly pki: Pki
  /** SPIFFE ID in the certificate of the client that authenticates by mutual TLS. */
  readonly spiffeId?: string
  /** Asks for a nonce at the token endpoint (RFC 9449 §8). */
  readonly nonce?: boolean
  /** Further claims of every access token. */
  readonly claims?: Readonly<Record<string, unknown>>
}

/** oidc-provider as a real authorization server, over HTTPS, in this process. */
export interface AuthorizationServer extends AsyncDisposable {
  readonly issuer: string
  readonly jwksUri: string
  readonly tokenEndpoint: string
  /** `resource` parameter (RFC 8707) that yields RFC 9068 tokens for the gateway. */
  readonly resource: string
  /** As the gateway's configuration names this server. */
  readonly config: IssuerConfig
  /** Authenticates with client_secret_basic; its tokens are DPoP-bound. */
  readonly dpopClient: { readonly id: string; readonly secret: string }
  /** Authenticates with tls_client_auth; its tokens are bound to the certificate. */
  readonly mtlsClient: { readonly id: string }
  readonly spiffeId: string
  /** An access token bound to this key, asked for as `dpopClient`; for a server without `nonce`. */
  readonly dpopToken: (key: ProofKey, scope?: string) => Promise<string>
  /** An access token bound to this certificate, which must carry `spiffeId`, asked for as `mtlsClient`. */
  readonly mtlsToken: (client: Certified, scope?: string) => Promise<string>
  /** An access token of a person who signed in, bound to nothing. */
  readonly personToken: (person: string) => Promise<string>
}

export async function startAuthorizationServer(
  options: AuthorizationServerOptions,
): Promise<AuthorizationServer> {
  const spiffeId = options.spiffeId ?? 'spiffe://zyx.example/agent/change-review'
  const certificate = options.pki.server()
  const certificateAuthority = options.pki.ca
  let listener: RequestListener = (_request, response) => response.writeHead(503).end()
  const server = createServer(
    {
      key: certificate.key,
      cert: certificate.cert,
      ca: options.pki.ca,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => listener(request, response),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider: Provider = new Provider(issuer, {
    ...configuration(spiffeId, options),
    ...signInConfiguration(() => provider, AUDIENCE, SCOPE),
  })
  const callback = provider.callback()
  listener = (incoming, response) => {
    if (!answerInteraction(provider, incoming, response)) void callback(incoming, response)
  }

  const config = issuerConfig(issuer, ['ES256'])
  const tokenEndpoint = `${issuer}/token`
  const ask = (scope: string, client: Record<string, string>, options: RequestOptions): Promise<string> =>
    requestToken(
      tokenEndpoint,
      { scope, resource: AUDIENCE, ...client },
      { ca: certificateAuthority, ...options },
    )
  if (!('uri' in config.jwks)) throw new TypeError('the issuer of the test has a remote key set')
  return {
    issuer,
    jwksUri: `${issuer}/jwks`,
    tokenEndpoint,
    resource: AUDIENCE,
    config: { ...config, jwks: { ...config.jwks, caFile: options.pki.caFile } },
    dpopClient: DPOP_CLIENT,
    mtlsClient: MTLS_CLIENT,
    spiffeId,
    dpopToken: (key, scope = SCOPE) =>
      ask(
        scope,
        {},
        {
          auth: `${DPOP_CLIENT.id}:${DPOP_CLIENT.secret}`,
          headers: { dpop: signProof({ key, method: 'POST', url: tokenEndpoint }) },
        },
      ),
    personToken: (person) =>
      signIn(issuer, { ca: certificateAuthority, person, resource: AUDIENCE, scope: SCOPE }),
    mtlsToken: ({ cert, key }, scope = SCOPE) => ask(scope, { client_id: MTLS_CLIENT.id }, { cert, key }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function configuration(spiffeId: string, options: AuthorizationServerOptions): Configuration {
  const claims = { tenant: 'zyx', groups: ['devsecops'], device_compliant: true, ...options.claims }
  const { privateKey } = generate('ES256')
  return {
    clients: [...clients(spiffeId), personClient],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kty: 'EC', alg: 'ES256', use: 'sig' }] },
    clientAuthMethods: ['client_secret_basic', 'tls_client_auth', 'none'],
    extraTokenClaims: () => claims,
    scopes: ['openid', 'tools:read', 'tools:write'],
    ttl: {
      ClientCredentials: 300,
      AccessToken: 300,
      Grant: 300,
      Interaction: 300,
      Session: 300,
      IdToken: 300,
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      dPoP: {
        enabled: true,
        nonceSecret: Buffer.alloc(32, 7),
        requireNonce: () => options.nonce === true,
      },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        tlsClientAuth: true,
        getCertificate: peerCertificate,
        certificateAuthorized: (ctx) => socketOf(ctx).authorized,
        certificateSubjectMatches: (ctx, property, expected) =>
          property === 'tls_client_auth_san_uri' &&
          socketOf(ctx).getPeerX509Certificate()?.subjectAltName === `URI:${expected}`,
      },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_ctx, resource) => ({
          scope: SCOPE,
          audience: resource,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  }
}

function clients(spiffeId: string): ClientMetadata[] {
  const common = {
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    scope: SCOPE,
    id_token_signed_response_alg: 'ES256' as const,
  }
  return [
    {
      ...common,
      client_id: DPOP_CLIENT.id,
      client_secret: DPOP_CLIENT.secret,
      token_endpoint_auth_method: 'client_secret_basic',
      dpop_bound_access_tokens: true,
    },
    {
      ...common,
      client_id: MTLS_CLIENT.id,
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_san_uri: spiffeId,
      tls_client_certificate_bound_access_tokens: true,
    },
  ]
}

function peerCertificate(ctx: KoaContextWithOIDC): string | undefined {
  return socketOf(ctx).getPeerX509Certificate()?.toString()
}

function socketOf(ctx: KoaContextWithOIDC): TLSSocket {
  return ctx.socket as TLSSocket
}

async function requestToken(
  endpoint: string,
  parameters: Record<string, string>,
  options: RequestOptions,
): Promise<string> {
  const outgoing = request(endpoint, { ...options, method: 'POST', agent: false })
  outgoing.setHeader('content-type', 'application/x-www-form-urlencoded')
  outgoing.end(new URLSearchParams({ grant_type: 'client_credentials', ...parameters }).toString())
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  const text = (await response.setEncoding('utf8').toArray()).join('')
  const { access_token: token } = JSON.parse(text) as { access_token?: string }
  if (token === undefined) throw new Error(`the authorization server gave no token: ${text}`)
  return token
}
