import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { adminDescription } from './openapi.ts'

/** Why the gateway may not be sent calls, by the name of what is missing; empty when it may. */
export type Readiness = Readonly<Record<string, string>>

export interface AdminSources {
  readiness(): Readiness | Promise<Readiness>
  /** What to know of a gateway that may be sent calls; by the name of the part. */
  notes?(): Readiness | Promise<Readiness>
  /** Prometheus text exposition. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>
  /** State for people: policy, identity, connectors, store, audit; no secrets. */
  status(): unknown
  /** Effective configuration; secrets are references in it. */
  config(): unknown
}

export interface AdminOptions {
  readonly host: string
  readonly port: number
  /** Bearer token for everything but health; required off loopback, where the config check demands it. */
  readonly token: string | undefined
}

export interface Admin extends AsyncDisposable {
  readonly port: number
}

interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/** The listener for operators: health, metrics, state. Never on the path of a call. */
export async function startAdmin(options: AdminOptions, sources: AdminSources): Promise<Admin> {
  const server = createServer({ maxHeaderSize: 8_192, requestTimeout: 10_000 }, (request, response) => {
    void answer(request, options, sources)
      .catch((): Answer => problem(500, 'The admin listener failed'))
      .then((given) => send(response, request, given))
  })
  server.maxConnections = 256
  server.listen(options.port, options.host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { port, [Symbol.asyncDispose]: () => close(server) }
}

async function answer(
  request: IncomingMessage,
  options: AdminOptions,
  sources: AdminSources,
): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return problem(405, 'Only GET and HEAD')
  if (options.token === undefined && !isLoopbackAuthority(request.headers.host)) {
    // A web page may not reach a loopback listener through a name that it controls (DNS rebinding).
    return problem(421, 'Not an address of this listener')
  }
  const [path, query = ''] = (request.url ?? '').split('?', 2)
  if (path === '/health') return opaHealth(query, await sources.readiness())
  if (path === '/healthz') return json(200, { status: 'ok' })
  if (path === '/readyz') return readiness(await sources.readiness(), (await sources.notes?.()) ?? {})
  if (!isAuthorized(request, options.token)) return problem(401, 'A bearer token is required')
  switch (path) {
    case '/metrics': {
      const { contentType, text } = await sources.metrics()
      return { status: 200, contentType, body: text }
    }
    case '/admin/v1/status':
      return json(200, await sources.status())
    case '/admin/v1/config':
      return json(200, await sources.config())
    case '/admin/v1/openapi.json':
      return json(200, adminDescription)
    default:
      return problem(404, 'No such resource')
  }
}

function readiness(reasons: Readiness, notes: Readiness): Answer {
  const isReady = Object.keys(reasons).length === 0
  const said = Object.keys(notes).length === 0 ? {} : { notes }
  return json(isReady ? 200 : 503, { status: isReady ? 'ready' : 'not ready', reasons, ...said })
}

/**
 * Health as OPA answers it, for probes that were written for one. There is no gateway without its bundles, so whoever
 * asks for `bundles` or `plugins` is told whether calls may be sent.
 *
 * @see https://www.openpolicyagent.org/docs/rest-api#health-api
 */
function opaHealth(query: string, reasons: Readiness): Answer {
  const asked = new URLSearchParams(query)
  const missing = Object.keys(reasons)
  if (missing.length === 0 || !(asked.has('bundles') || asked.has('plugins'))) return json(200, {})
  return json(500, { error: `not ready: ${missing.join(', ')}` })
}

function isAuthorized(request: IncomingMessage, token: string | undefined): boolean {
  if (token === undefined) return true
  const presented = /^Bearer +(\S{1,4096})$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
  return timingSafeEqual(digest(presented), digest(token))
}

/** Equal lengths for the constant-time comparison, whatever was presented. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function isLoopbackAuthority(authority: string | undefined): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(authority ?? '')
}

function send(
  response: ServerResponse,
  request: IncomingMessage,
  { status, contentType, body }: Answer,
): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

function json(status: number, value: unknown): Answer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value, undefined, 2)}\n` }
}

function problem(status: number, title: string): Answer {
  return {
    status,
    contentType: 'application/problem+json',
    body: JSON.stringify({ type: 'about:blank', title, status }),
  }
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}
