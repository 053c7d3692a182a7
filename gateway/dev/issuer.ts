import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair } from 'jose'
import { createTokenEndpoint } from './token-endpoint.ts'

const BODY_LIMIT_BYTES = 16 * 1024

export interface DevelopmentIssuer extends AsyncDisposable {
  /** The issuer identifier and origin of all its endpoints. */
  readonly origin: string
}

export interface DevelopmentIssuerOptions {
  /** Origin of the gateway, which tokens of agents are issued for. */
  readonly audience: string
  /** Origin of its admin listener, which tokens of people are issued for. */
  readonly adminAudience: string
  /** 0, the default, lets the system choose. */
  readonly port?: number
  /** 127.0.0.1 where absent; anything that is not loopback throws. */
  readonly host?: string
}

interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: object
}

/**
 * Starts an authorization server that gives a token to whoever asks, for any persona: good enough to try the
 * gateway without an identity provider, and therefore confined to loopback. Its key lives as long as it does.
 */
export async function startIssuer(options: DevelopmentIssuerOptions): Promise<DevelopmentIssuer> {
  const host = options.host ?? '127.0.0.1'
  if (!isLoopback(host)) throw new Error(`the development issuer listens on loopback only, not on ${host}`)
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const kid = `dev-${Date.now().toString(36)}`
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' }] }

  let handle: (request: IncomingMessage, body: string) => Promise<Reply> = () =>
    Promise.resolve({ status: 503, body: {} })
  const server = createServer((request, response) => {
    answer(request, response, handle).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, host, resolve)
  })
  const { port } = server.address() as AddressInfo
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  const { audience, adminAudience } = options
  const token = createTokenEndpoint({ issuer: origin, audience, adminAudience, key: privateKey, kid })

  handle = (request, body) => {
    switch (`${request.method} ${request.url}`) {
      case 'GET /.well-known/oauth-authorization-server':
      case 'GET /.well-known/openid-configuration':
        return Promise.resolve({ status: 200, body: metadata(origin) })
      case 'GET /jwks':
        return Promise.resolve({
          status: 200,
          headers: { 'Content-Type': 'application/jwk-set+json' },
          body: jwks,
        })
      case 'POST /token':
        return token(request, body)
      default:
        return Promise.resolve({ status: 404, body: { error: 'not_found' } })
    }
  }
  return {
    origin,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

/** RFC 8414 §2. */
function metadata(origin: string): object {
  return {
    issuer: origin,
    token_endpoint: `${origin}/token`,
    jwks_uri: `${origin}/jwks`,
    grant_types_supported: ['client_credentials'],
    response_types_supported: [],
    token_endpoint_auth_methods_supported: ['none'],
    dpop_signing_alg_values_supported: ['ES256'],
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handle: (request: IncomingMessage, body: string) => Promise<Reply>,
): Promise<void> {
  const reply = fromThisMachine(request)
    ? await handle(request, await readBody(request))
    : {
        status: 403,
        body: { error: 'invalid_request', error_description: 'browsers and other hosts are not served' },
      }
  response.writeHead(reply.status, {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
    ...reply.headers,
  })
  response.end(JSON.stringify(reply.body))
}

/** Loopback alone does not keep out a web page that the developer has open: it names an Origin, or a foreign Host. */
function fromThisMachine({ headers }: IncomingMessage): boolean {
  const host = (headers.host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  return headers.origin === undefined && isLoopback(host)
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > BODY_LIMIT_BYTES) throw new Error('the body is too large for a token request')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
