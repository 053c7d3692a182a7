import { createProof, demandedNonce } from './proof.ts'
import type { DpopKey } from './proof.ts'

const REDIRECT_LIMIT = 5
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** Where each vendor's hosts are found below the gateway; Atlassian's site is two connectors. */
const CONNECTOR_OF_HOST: ReadonlyMap<string, (path: string) => string> = new Map<
  string,
  (path: string) => string
>([
  ['api.github.com', () => '/github'],
  ['uploads.github.com', () => '/github'],
  ['slack.com', () => '/slack'],
  ['files.slack.com', () => '/slack'],
  ['zyx-bank.atlassian.net', (path) => (path.startsWith('/wiki/') ? '/confluence' : '/jira')],
])

/** One exchange with the gateway as a caller saw it. */
interface SignedExchange {
  readonly method: string
  /** Where it went: always a URL of the gateway. */
  readonly url: URL
  readonly reply: Response
}

export interface SigningFetchOptions {
  /** Origin of the gateway. */
  readonly gateway: string
  readonly key: DpopKey
  readonly accessToken: () => Promise<string>
  /** Added to every call through the gateway, such as `Toolgate-Task`. */
  readonly headers?: Readonly<Record<string, string>>
  /** Told of every reply of the gateway, nonce demands excepted; the body is the caller's to read. */
  readonly onReply?: (exchange: SignedExchange) => void
  readonly fetch?: typeof fetch
}

/**
 * A `fetch` for SDKs: what goes to the gateway, or to a vendor's host that the gateway stands for, is sent to
 * the gateway with `Authorization: DPoP` and a fresh proof; an SDK's own Authorization is replaced. A demand for
 * a nonce is answered once. Anything else goes where it was going, untouched and unsigned.
 */
export function createSigningFetch(options: SigningFetchOptions): typeof fetch {
  const send = options.fetch ?? fetch
  const gateway = new URL(options.gateway)
  let lastNonce: string | undefined

  const sendSigned = async (request: Request, url: URL, body: Body): Promise<Response> => {
    const once = async (): Promise<Response> => {
      const accessToken = await options.accessToken()
      const headers = new Headers(request.headers)
      for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value)
      headers.set('Authorization', `DPoP ${accessToken}`)
      headers.set(
        'DPoP',
        await createProof(options.key, { method: request.method, url, accessToken, nonce: lastNonce }),
      )
      const reply = await send(url, {
        method: request.method,
        headers,
        redirect: 'manual',
        signal: request.signal,
        ...body.init(),
      })
      lastNonce = reply.headers.get('dpop-nonce') ?? lastNonce
      return reply
    }
    const first = await once()
    const reply = body.repeatable && (await demandedNonce(first)) !== undefined ? await once() : first
    options.onReply?.({ method: request.method, url, reply })
    return reply
  }

  return async (input, init) => {
    const request = new Request(input, init)
    const target = throughGateway(new URL(request.url), gateway)
    if (target === undefined) return send(input, init)
    const reply = await sendSigned(request, target, await bodyOf(request, init))
    return followed(reply, request, target, (url) => {
      const next = throughGateway(url, gateway)
      // Another host gets neither token nor proof, and only what it needs to answer a GET.
      return next === undefined
        ? send(url, { redirect: 'manual', signal: request.signal })
        : sendSigned(request, next, NO_BODY)
    })
  }
}

/** Makes `signing` the process-wide `fetch` until disposed, for SDKs that take none (jira.js, confluence.js). */
export function installFetch(signing: typeof fetch): Disposable {
  const before = globalThis.fetch
  globalThis.fetch = signing
  return {
    [Symbol.dispose]: () => {
      globalThis.fetch = before
    },
  }
}

function throughGateway(url: URL, gateway: URL): URL | undefined {
  if (url.origin === gateway.origin) return url
  const prefix = url.protocol === 'https:' ? CONNECTOR_OF_HOST.get(url.host)?.(url.pathname) : undefined
  return prefix === undefined ? undefined : new URL(`${prefix}${url.pathname}${url.search}`, gateway)
}

interface Body {
  readonly repeatable: boolean
  readonly init: () => RequestInit
}

const NO_BODY: Body = { repeatable: true, init: () => ({}) }

/**
 * A stream can be sent once only; anything else is held so that it can be sent again with a nonce. `duplex` alone
 * says nothing: Octokit sets it with every body, and its bodies are text.
 */
async function bodyOf(request: Request, init: RequestInit | undefined): Promise<Body> {
  if (request.body === null) return NO_BODY
  if (init?.duplex === 'half' && isStream(init.body)) {
    return { repeatable: false, init: () => ({ body: request.body, duplex: 'half' }) }
  }
  const bytes = await request.arrayBuffer()
  return { repeatable: true, init: () => ({ body: bytes }) }
}

function isStream(body: RequestInit['body']): boolean {
  return (
    body instanceof ReadableStream ||
    (typeof body === 'object' && body !== null && Symbol.asyncIterator in body)
  )
}

/** Follows redirects as the caller's `redirect` mode says; only GET and HEAD are sent on. */
async function followed(
  reply: Response,
  request: Request,
  from: URL,
  send: (url: URL) => Promise<Response>,
): Promise<Response> {
  let current = reply
  let base = from
  for (let hops = 0; REDIRECTS.has(current.status); hops += 1) {
    const location = current.headers.get('location')
    if (location === null || request.redirect === 'manual') return current
    const safe = request.method === 'GET' || request.method === 'HEAD'
    if (request.redirect === 'error' || !safe || hops >= REDIRECT_LIMIT)
      throw new TypeError('fetch failed: unexpected redirect')
    await current.body?.cancel()
    base = new URL(location, base)
    current = await send(base)
  }
  return current
}
