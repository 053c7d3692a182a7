import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import type { FakeReply, FakeRequest, FakeRoute } from './fake-route.ts'

const GZIP_FROM_BYTES = 512

/** A change a test makes to how a fake answers. `status`, `body` and `stream` replace the vendor's answer. */
export interface Behaviour {
  /** Which requests it applies to; every one where absent. */
  readonly when?: (request: FakeRequest) => boolean
  /** How many requests it applies to; all where absent. */
  readonly times?: number
  readonly delayMs?: number
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** Chunks written as they come, such as an event stream that the test feeds. */
  readonly stream?: AsyncIterable<string | Uint8Array>
  /** Breaks the connection after this many bytes of the body; 0 right after the header section. */
  readonly abortAfterBytes?: number
}

/** What a vendor's fake adds to the plumbing. */
export interface FakeVendor {
  readonly routes: readonly FakeRoute[]
  /** Another name for the same path, such as GitHub's `/repositories/{id}`. */
  readonly alias?: (path: string) => string
  /** Judges what is common to all requests, the credential first; a reply ends the request. */
  readonly guard?: (request: FakeRequest) => FakeReply | undefined
  readonly notFound: (request: FakeRequest) => FakeReply
  /** Headers the vendor puts on this reply, beside those of the handler. */
  readonly headers?: (request: FakeRequest, reply: FakeReply) => Readonly<Record<string, string>>
  /** Whether successful GETs carry a weak validator and answer If-None-Match. */
  readonly validators?: boolean
}

/** The complete reply: the vendor's own, or the test's, with the vendor's common headers. */
export async function finish(
  vendor: FakeVendor,
  request: FakeRequest,
  behaviour: Behaviour,
): Promise<FakeReply> {
  const replaced =
    behaviour.status !== undefined || behaviour.body !== undefined || behaviour.stream !== undefined
  const reply: FakeReply = replaced
    ? { status: behaviour.status ?? 200, body: behaviour.body ?? '' }
    : (vendor.guard?.(request) ?? (await dispatch(vendor, request)))
  const body =
    typeof reply.body === 'object' && !Buffer.isBuffer(reply.body) ? JSON.stringify(reply.body) : reply.body
  const headers: Record<string, string> = {
    ...(body === undefined || body === '' ? {} : { 'Content-Type': contentTypeOf(reply.body) }),
    ...vendor.headers?.(request, reply),
    ...reply.headers,
    ...behaviour.headers,
  }
  const complete = { status: reply.status, headers, ...(body === undefined ? {} : { body }) }
  return vendor.validators === true ? validated(request, complete) : complete
}

function contentTypeOf(body: FakeReply['body']): string {
  if (Buffer.isBuffer(body)) return 'application/octet-stream'
  return typeof body === 'object' ? 'application/json; charset=utf-8' : 'text/plain; charset=utf-8'
}

function dispatch(vendor: FakeVendor, request: FakeRequest): FakeReply | Promise<FakeReply> {
  // RFC 9110 §9.3.2: HEAD is GET without the content.
  const method = request.method === 'HEAD' ? 'GET' : request.method
  for (const route of vendor.routes) {
    const params = route.method === method ? route.match(request.path) : undefined
    if (params !== undefined) return route.handle({ ...request, param: (name) => params.get(name) ?? '' })
  }
  return vendor.notFound(request)
}

/** Adds a weak ETag to a successful GET and answers a matching If-None-Match with 304 (RFC 9110 §13.1.2). */
function validated(request: FakeRequest, reply: FakeReply): FakeReply {
  if (reply.status !== 200 || (request.method !== 'GET' && request.method !== 'HEAD')) return reply
  const digest = createHash('sha256').update(
    typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body ?? ''),
  )
  const etag = `W/"${digest.digest('hex')}"`
  const { 'Content-Type': _, ...withoutType } = reply.headers ?? {}
  return request.headers['if-none-match'] === etag
    ? { status: 304, headers: { ...withoutType, ETag: etag } }
    : { ...reply, headers: { ...reply.headers, ETag: etag } }
}

/** Writes `reply` as HTTP wants it for this method and status, or breaks off where the test says so. */
export async function send(
  response: ServerResponse,
  request: FakeRequest,
  reply: FakeReply,
  behaviour: Behaviour,
): Promise<void> {
  const { headers, body } = encoded(request, reply)
  const abortAfterBytes = behaviour.abortAfterBytes
  if (behaviour.stream === undefined && reply.status !== 204 && reply.status !== 304) {
    headers['Content-Length'] = String(body.length)
  }
  response.writeHead(reply.status, headers)
  if (abortAfterBytes !== undefined) {
    response.flushHeaders()
    response.write(body.subarray(0, abortAfterBytes))
    // One turn later the bytes are with the system; destroyed at once, they would never leave.
    setImmediate(() => response.destroy())
    return
  }
  if (behaviour.stream === undefined) {
    // Node sends no content with HEAD, 204 and 304, whatever it is given.
    response.end(body)
    return
  }
  response.flushHeaders()
  for await (const chunk of behaviour.stream) {
    if (response.destroyed) return
    response.write(chunk)
  }
  response.end()
}

function encoded(request: FakeRequest, reply: FakeReply): { headers: Record<string, string>; body: Buffer } {
  const headers: Record<string, string> = { ...reply.headers }
  const body = Buffer.isBuffer(reply.body)
    ? reply.body
    : Buffer.from(typeof reply.body === 'string' ? reply.body : '')
  const accepted = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
  const isText = /json|text|xml/.test(headers['Content-Type'] ?? '')
  if (!accepted || !isText || body.length < GZIP_FROM_BYTES) return { headers, body }
  headers['Content-Encoding'] = 'gzip'
  return { headers, body: gzipSync(body) }
}
