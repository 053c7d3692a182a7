import type { Connector } from '../catalog/connector.ts'
import type { HeaderList } from '../lib/header-list.ts'
import { externalLink, externalLocation } from './external-address.ts'
import { connectionOptions, isHopByHop } from './hop-by-hop.ts'

/** End-to-end fields that any HTTP API may answer with; vendors' own come from the connector. */
const PASSED: readonly string[] = [
  'accept-ranges',
  'age',
  'allow',
  'cache-control',
  'content-digest',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-md5',
  'content-range',
  'content-type',
  'date',
  'deprecation',
  'etag',
  'expires',
  'last-modified',
  'link',
  'location',
  'repr-digest',
  'request-id',
  'retry-after',
  'sunset',
  'vary',
  'x-request-id',
]

/**
 * What an upstream must not say to the caller: in the gateway's name, of another way to the upstream (`Alt-Svc`),
 * of a credential that is the gateway's, or to a browser.
 */
const NEVER_PASSED: ReadonlySet<string> = new Set([
  'alt-svc',
  'clear-site-data',
  'content-security-policy',
  'dpop-nonce',
  'ratelimit',
  'ratelimit-policy',
  'refresh',
  'server',
  'set-cookie',
  'set-cookie2',
  'strict-transport-security',
  'www-authenticate',
])
const NEVER_PASSED_PREFIX = /^(?:toolgate-|proxy-|access-control-)/

/** Said of the bytes as the upstream sent them; untrue once links in them are rewritten. */
const OF_EXACT_BYTES: ReadonlySet<string> = new Set([
  'accept-ranges',
  'content-digest',
  'content-length',
  'content-md5',
  'content-range',
  'repr-digest',
])

/** RFC 9110 §5.5; Node throws for anything else, in the middle of a reply. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/** Whether a connector may let a header, in lower case, of its upstream through to callers. */
export function mayPassResponseHeader(header: string): boolean {
  return !(NEVER_PASSED.has(header) || NEVER_PASSED_PREFIX.test(header) || isHopByHop(header))
}

/** The names that come from this upstream; what the catalogue has let slip by does not pass. */
export function passedResponseHeaders({ headers }: Connector): ReadonlySet<string> {
  return new Set([...PASSED, ...headers.response.filter(mayPassResponseHeader)])
}

export interface ResponseRules {
  readonly connector: Connector
  readonly passed: ReadonlySet<string>
  /** The gateway's own address for the connector. */
  readonly externalBase: string
  /** The URL that the upstream was asked for. */
  readonly asked: string
  readonly rewritesBody: boolean
  /** 204, 304: a length would speak of a body that is not there. */
  readonly withoutBody: boolean
}

/** The header section for the caller, or `undefined` when the upstream's cannot be sent as HTTP. */
export function buildResponseHeaders(received: HeaderList, rules: ResponseRules): string[] | undefined {
  const hopByHop = connectionOptions(received)
  const list: string[] = []
  for (const name of received.names()) {
    if (!rules.passed.has(name) || hopByHop.has(name)) continue
    if (rules.rewritesBody && OF_EXACT_BYTES.has(name)) continue
    if (rules.withoutBody && name === 'content-length') continue
    for (const value of received.all(name)) {
      if (!FIELD_VALUE.test(value)) return undefined
      list.push(name, rewritten(name, value, rules))
    }
  }
  if (isEventStream(received)) list.push('x-accel-buffering', 'no')
  return list
}

/** Server-sent events, which a proxy in front of us must not hold back either. */
function isEventStream(headers: HeaderList): boolean {
  return /^text\/event-stream(?:[\t ]*;|$)/i.test(headers.get('content-type') ?? '')
}

function rewritten(name: string, value: string, { connector, externalBase, asked }: ResponseRules): string {
  switch (name) {
    case 'location':
    case 'content-location':
      return externalLocation(connector, externalBase, asked, value) ?? value
    case 'link':
      return connector.links.header ? externalLink(connector, externalBase, asked, value) : value
    default:
      return value
  }
}
