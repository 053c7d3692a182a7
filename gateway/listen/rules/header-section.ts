import type { HeaderList } from '../../lib/header-list.ts'
import { refuse } from '../../refusal.ts'
import type { Refusal } from '../../refusal.ts'

const MAX_HEADERS = 100

/**
 * Headers that mean one thing only when there is one of them. Node keeps the first of some, joins others, and
 * upstreams do as they like. `Authorization` and `DPoP` are judged by identify, whose refusal has a challenge.
 */
const SINGLE = [
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'transfer-encoding',
  'expect',
  'traceparent',
  'range',
  'idempotency-key',
  'x-http-method-override',
  'toolgate-task',
  'toolgate-rationale',
  'toolgate-ticket',
  'toolgate-rollback-plan',
  'toolgate-approval',
] as const

/** `uri-host [":" port]` of RFC 9110 §7.2, without the userinfo and sub-delims that no real name has. */
const HOST = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$/

/** Methods that upstreams honour instead of the one that was authorised. */
const METHOD_OVERRIDES = ['x-http-method-override', 'x-http-method', 'x-method-override'] as const

/** `undefined` when the header section can be read in one way only. */
export function judgeHeaderSection(headers: HeaderList): Refusal | undefined {
  if (headers.flat.length > 2 * MAX_HEADERS) return no('request.headers_too_large', 'too many headers')
  const repeated = headers.repeats ? SINGLE.find((name) => headers.count(name) > 1) : undefined
  if (repeated !== undefined) return no('request.ambiguous', `more than one ${repeated}`)
  const host = headers.get('host')
  if (host === undefined || !HOST.test(host)) return no('request.malformed', 'no well-formed Host')
  for (const name of headers.names()) {
    // CGI-style servers read X_Y as X-Y, and proxies strip only one of the two (CVE-2025-64484).
    if (name.includes('_')) return no('request.ambiguous', 'an underscore in a header name')
  }
  if (headers.has('upgrade') || headers.has('http2-settings')) return no('request.ambiguous', 'an upgrade')
  if (METHOD_OVERRIDES.some((name) => headers.has(name))) return no('request.ambiguous', 'a method override')
  return judgeConnection(headers)
}

/**
 * `Connection` may name only what concerns this hop: an end-to-end header named there would be dropped by the next
 * one, which turns a decided call into another (CVE-2025-48865). RFC 9110 §7.6.1.
 */
function judgeConnection(headers: HeaderList): Refusal | undefined {
  for (const value of headers.all('connection')) {
    for (const option of value.split(',')) {
      const name = option.trim().toLowerCase()
      if (name !== '' && name !== 'keep-alive' && name !== 'close' && name !== 'te') {
        return no('request.ambiguous', 'Connection names an end-to-end header')
      }
    }
  }
  return undefined
}

function no(code: Refusal['code'], detail: string): Refusal {
  return refuse(code, { detail }).refusal
}
