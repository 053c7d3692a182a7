/** W3C Trace Context of the call; `parentId` is the caller's span, `spanId` ours. */
export interface TraceContext {
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string | undefined
  readonly sampled: boolean
  readonly state: string | undefined
}

/** What a caller's `traceparent` says; all hexadecimal in lower case. */
export interface Traceparent {
  readonly traceId: string
  readonly parentId: string
  readonly sampled: boolean
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const LONGEST_TRACEPARENT = 256

/**
 * Reads a W3C `traceparent`; `undefined` when it is invalid and the trace has to begin anew. Versions after 00 may
 * carry more fields, of which nothing is read.
 *
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function parseTraceparent(untrusted: string): Traceparent | undefined {
  if (untrusted.length > LONGEST_TRACEPARENT) return undefined
  const found = TRACEPARENT.exec(untrusted)
  if (found === null) return undefined
  const [, version, traceId = '', parentId = '', flags = '', more] = found
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return undefined
  return { traceId, parentId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
}
