import { readRawPath } from '../../catalog/raw-path.ts'
import { pass, refuse } from '../../refusal.ts'
import type { Verdict } from '../../refusal.ts'

/** Path and query exactly as received. */
export interface Target {
  readonly path: string
  readonly query: string
}

const LONGEST_TARGET = 8192

/**
 * What may stand in a query: RFC 3986 §3.4, and the characters that the WHATWG URL serialiser leaves as they are
 * (Stripe's `metadata[a]=b`). A backslash is not among them.
 */
const QUERY = /^[\w\-.~!$&'()*+,;=:@/?%[\]{}|^`]*$/

const DOT_PART = /(?:\/|%2f)\.{1,2}(?:\/|%2f|$)/i

/**
 * Reads the request target: origin-form only (RFC 9112 §3.2.1), a path that every server splits alike, a query
 * whose percent-encoding is UTF-8. Nothing is decoded or rewritten: what passes is what is forwarded.
 */
export function readTarget(untrustedTarget: string): Verdict<Target> {
  if (untrustedTarget.length > LONGEST_TARGET) return no('the target is too long')
  if (untrustedTarget.charCodeAt(0) !== 0x2f) return no('the target is not in origin-form')
  const mark = untrustedTarget.indexOf('?')
  const path = mark === -1 ? untrustedTarget : untrustedTarget.slice(0, mark)
  const query = mark === -1 ? '' : untrustedTarget.slice(mark + 1)
  const reading = readRawPath(path)
  if (!reading.ok) return no(reading.reason)
  if (path.includes('%')) {
    if (!isUtf8Encoding(path)) return no('the path is not UTF-8')
    // An encoded slash is route's to judge, but no template has a dot segment on either side of one.
    if (DOT_PART.test(path)) return no('the path has a dot segment beside an encoded slash')
  }
  if (query !== '') {
    if (!QUERY.test(query)) return no('the query has a character that must be encoded')
    if (query.includes('%') && (query.includes('%00') || !isUtf8Encoding(query))) {
      return no('the query is not UTF-8, or has a NUL')
    }
  }
  return pass({ path, query })
}

function isUtf8Encoding(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

function no(detail: string): Verdict<never> {
  return refuse('request.target_invalid', { detail })
}
