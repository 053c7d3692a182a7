import type { Connector } from '../catalog/connector.ts'
import type { Decided } from '../exchange.ts'
import type { TraceContext } from '../lib/traceparent.ts'
import { answerDuties } from './answer-duties.ts'
import { connectionOptions, isHopByHop } from './hop-by-hop.ts'

/** End-to-end fields that any HTTP API may need; vendors' own come from the connector. */
const PASSED: readonly string[] = [
  'accept',
  'accept-language',
  'cache-control',
  'content-digest',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-md5',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-event-id',
  'range',
  'repr-digest',
  'user-agent',
]

/** Written by the gateway itself, a credential of the caller, or a way to ask for something else than was decided. */
const NEVER_PASSED: ReadonlySet<string> = new Set([
  'accept-encoding',
  'authorization',
  'client-cert',
  'client-cert-chain',
  'content-length',
  'cookie',
  'cookie2',
  'dpop',
  'expect',
  'forwarded',
  'host',
  'traceparent',
  'tracestate',
  'via',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-real-ip',
  'x-rewrite-url',
])
const NEVER_PASSED_PREFIX = /^(?:toolgate-|x-forwarded-|proxy-)/

/** Content codings that can be relayed and, where a detector has to, read. */
const CODINGS = /^(?:gzip|x-gzip|br|identity)$/

/**
 * Whether a connector may let a header, in lower case, through to its upstream. Never one with an underscore, which
 * CGI-style servers take for its twin with a hyphen.
 */
export function mayPassRequestHeader(header: string): boolean {
  return !(
    NEVER_PASSED.has(header) ||
    NEVER_PASSED_PREFIX.test(header) ||
    isHopByHop(header) ||
    header.includes('_')
  )
}

/** The names that go to this upstream; what the catalogue has let slip by does not pass. */
export function passedRequestHeaders({ headers }: Connector): ReadonlySet<string> {
  return new Set([...PASSED, ...headers.request.filter(mayPassRequestHeader)])
}

/** What of a call its upstream header section is made from. */
export type HeaderSource = Pick<Decided, 'headers' | 'connector' | 'trace' | 'content'> & {
  readonly decision: Pick<Decided['decision'], 'obligations'>
  readonly body: Pick<Decided['body'], 'declaredBytes'>
}

/** The header section for the upstream without its credential, as a flat name, value list in lower case. */
export function buildRequestHeaders(call: HeaderSource, passed: ReadonlySet<string>): string[] {
  const { headers, connector, trace, content, body, decision } = call
  // An answer can be rewritten, redacted or measured only when it is not compressed, and whole.
  const plain = connector.links.body || answerDuties(decision.obligations) !== undefined
  const hopByHop = connectionOptions(headers)
  const list: string[] = []
  for (const name of headers.names()) {
    if (!passed.has(name) || hopByHop.has(name)) continue
    if (plain && (name === 'range' || name === 'if-range')) continue
    for (const value of headers.all(name)) list.push(name, value)
  }
  // GitHub refuses requests without one.
  if (!headers.has('user-agent')) list.push('user-agent', 'toolgate')
  const codings = plain ? 'identity' : acceptedCodings(headers.all('accept-encoding'))
  list.push('accept-encoding', codings, 'traceparent', traceparent(trace))
  if (trace.state !== undefined) list.push('tracestate', trace.state)
  // Of bytes the client counts the length itself.
  if (content.stream !== undefined && body.declaredBytes !== undefined) {
    list.push('content-length', String(body.declaredBytes))
  }
  return list
}

function acceptedCodings(values: readonly string[]): string {
  const codings = values
    .flatMap((value) => value.split(','))
    .map((coding) => coding.trim())
    .filter((coding) => CODINGS.test((coding.split(';', 1)[0] ?? '').trim().toLowerCase()))
  return codings.length === 0 ? 'identity' : codings.join(', ')
}

/** Our span as the parent of whatever the upstream does (W3C Trace Context §3.2). */
function traceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`
}
