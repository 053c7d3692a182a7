import type { Connector } from '../catalog/connector.ts'
import { redirectAllowed } from '../catalog/redirect.ts'
import type { UpstreamRequest } from './upstream.ts'
import { HeaderList } from '../lib/header-list.ts'
import { externalLocation, isOwnOrigin } from './external-address.ts'

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** What a followed request may take along: nothing that says who asks, and no credential under any name. */
const FOLLOWED_HEADERS: readonly string[] = ['accept', 'accept-encoding', 'if-range', 'range', 'user-agent']

/** What to do with a redirect: the caller goes there through the gateway, the gateway goes itself, or nobody. */
export type Redirection =
  | { readonly kind: 'none' }
  | { readonly kind: 'relay' }
  | { readonly kind: 'follow'; readonly request: UpstreamRequest }
  | { readonly kind: 'deny'; readonly detail: string }

export interface RedirectRules {
  readonly connector: Connector
  /** Ports that a followed redirect may name. */
  readonly ports: ReadonlySet<string>
}

/** Reads the `Location` of the answer to `request`. `followed` says that it came from a host followed to. */
export function redirectionOf(
  { connector, ports }: RedirectRules,
  request: UpstreamRequest,
  status: number,
  headers: readonly string[],
  followed: boolean,
): Redirection {
  if (!REDIRECTS.has(status)) return { kind: 'none' }
  const locations = new HeaderList(headers).all('location')
  if (locations.length === 0) return { kind: 'none' }
  const [untrustedLocation = ''] = locations
  const asked = request.origin + request.target
  if (locations.length > 1 || !URL.canParse(untrustedLocation, asked)) {
    return { kind: 'deny', detail: 'Location is not one URL' }
  }
  const url = new URL(untrustedLocation, asked)
  if (isOwnOrigin(connector, url.origin)) {
    // Only the caller may come back: it is authorised anew, and a host in between must not steer our credential.
    if (followed) return { kind: 'deny', detail: 'redirected back to the upstream' }
    const reachable = externalLocation(connector, '', asked, untrustedLocation) !== undefined
    return reachable ? { kind: 'relay' } : { kind: 'deny', detail: 'redirected outside the base path' }
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { kind: 'deny', detail: `a ${request.method} was redirected to another host` }
  }
  const portAllowed = ports.has(url.port === '' ? '443' : url.port)
  if (url.protocol !== 'https:' || url.username !== '' || url.password !== '' || !portAllowed) {
    return { kind: 'deny', detail: 'redirected to a URL that is not plain HTTPS' }
  }
  if (!redirectAllowed(connector, url.hostname)) {
    return { kind: 'deny', detail: `redirected to ${url.hostname}` }
  }
  return { kind: 'follow', request: followTo(url, request) }
}

function followTo(url: URL, request: UpstreamRequest): UpstreamRequest {
  const sent = new HeaderList(request.headers)
  const headers = FOLLOWED_HEADERS.flatMap((name) => sent.all(name).flatMap((value) => [name, value]))
  return {
    origin: url.origin,
    method: request.method,
    target: url.pathname + url.search,
    headers,
    body: undefined,
  }
}
