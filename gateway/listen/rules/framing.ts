import type { HeaderList } from '../../lib/header-list.ts'
import { pass, refuse } from '../../refusal.ts'
import type { Verdict } from '../../refusal.ts'

/** Methods that a catalogue can hold, and OPTIONS, which route refuses like any other unknown operation. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** The part of a request line and header section that decides where the body begins and ends. */
export interface Framed {
  readonly method: string
  readonly httpVersion: string
  readonly headers: HeaderList
}

/**
 * Length of the body: 0 for none, `undefined` for chunked. Node's parser has already refused most of what is wrong
 * here; this holds whatever the parser's leniency becomes.
 *
 * @see RFC 9112 §6.1, §6.3, §11.2
 */
export function readFraming({ method, httpVersion, headers }: Framed): Verdict<number | undefined> {
  if (!METHODS.has(method))
    return refuse('route.unknown_operation', { detail: 'the method is not supported' })
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return malformed('the HTTP version is not supported')
  const expectation = headers.get('expect')
  if (expectation !== undefined && expectation.toLowerCase() !== '100-continue') {
    return refuse('request.expectation_unsupported')
  }
  const length = headers.get('content-length')
  const coding = headers.get('transfer-encoding')
  if (coding !== undefined) {
    if (length !== undefined) return ambiguous('both Content-Length and Transfer-Encoding')
    if (coding.toLowerCase() !== 'chunked') return malformed('a transfer coding other than chunked')
    if (httpVersion === '1.0') return ambiguous('Transfer-Encoding in HTTP/1.0')
  }
  if (length !== undefined && !/^[0-9]{1,15}$/.test(length))
    return malformed('Content-Length is not a number')
  const declaredBytes = coding === undefined ? Number(length ?? 0) : undefined
  if (declaredBytes !== 0 && (method === 'GET' || method === 'HEAD' || method === 'OPTIONS')) {
    return ambiguous(`${method} with a body`)
  }
  return pass(declaredBytes)
}

function malformed(detail: string): Verdict<never> {
  return refuse('request.malformed', { detail })
}

function ambiguous(detail: string): Verdict<never> {
  return refuse('request.ambiguous', { detail })
}
