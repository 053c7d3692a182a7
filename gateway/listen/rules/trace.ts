import type { TraceContext } from '../../lib/traceparent.ts'
import type { HeaderList } from '../../lib/header-list.ts'
import { parseTraceparent } from '../../lib/traceparent.ts'

const LONGEST_STATE = 512
/** Printable ASCII, as `tracestate` members are; anything else is dropped, never a reason to refuse. */
const STATE = /^[\x20-\x7e]+$/

/**
 * The trace that the call belongs to: the caller's, or a new one when it sent none or an invalid one.
 *
 * @param randomHex returns that many random bytes as hexadecimal
 * @see https://www.w3.org/TR/trace-context/
 */
export function readTrace(headers: HeaderList, randomHex: (sizeBytes: number) => string): TraceContext {
  const header = headers.get('traceparent')
  const parent = header === undefined ? undefined : parseTraceparent(header)
  if (parent === undefined) {
    const random = randomHex(24)
    const [traceId, spanId] = [random.slice(0, 32), random.slice(32)]
    return { traceId, spanId, parentId: undefined, sampled: false, state: undefined }
  }
  const spanId = randomHex(8)
  const state = headers.all('tracestate').join(',')
  return { ...parent, spanId, state: state.length <= LONGEST_STATE && STATE.test(state) ? state : undefined }
}
