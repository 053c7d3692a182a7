import type { IncomingMessage } from 'node:http'
import type { BundleServiceConfig } from '../../config/policy-config.ts'
import { BundleError } from './bundle-error.ts'
import { requestService } from '../service-request.ts'

export interface FetchOptions {
  readonly config: BundleServiceConfig
  /** Read for every request, so that it can rotate. */
  readonly token: (() => string) | undefined
  /** Version in force, for `If-None-Match`. */
  readonly etag: string | undefined
  /** How long the service may wait for another version before it answers; 0 for not at all. */
  readonly waitMs: number
  readonly signal: AbortSignal
}

export interface FetchedBundle {
  /** `undefined`: the version in force is the newest (304). */
  readonly bytes: Buffer | undefined
  readonly etag: string | undefined
  /** Whether the service understands `Prefer: wait`; unknown (`undefined`) from a 304. */
  readonly longPoll: boolean | undefined
}

/** What a service that can wait calls its bundles. */
const LONG_POLL_TYPE = 'application/vnd.openpolicyagent.bundles'
const MAX_ETAG_LENGTH = 1024

/**
 * Asks the bundle service once, on a connection of its own.
 *
 * @throws BundleError `service`, or `archive` when there is more than `maxBytes`
 * @see https://www.openpolicyagent.org/docs/management-bundles#bundle-service-api
 */
export async function fetchBundle(options: FetchOptions): Promise<FetchedBundle> {
  const { config, waitMs, etag } = options
  const deadline = AbortSignal.timeout(config.timeoutMs + waitMs)
  try {
    const response = await requestService(config, {
      method: 'GET',
      resource: config.resource,
      headers: headersOf(options),
      token: options.token,
      signal: AbortSignal.any([options.signal, deadline]),
    })
    if (response.statusCode === 304 && etag !== undefined) {
      response.destroy()
      return { bytes: undefined, etag, longPoll: undefined }
    }
    refuseOther(response)
    const bytes = await readAtMost(response, config.maxBytes)
    const tag = response.headers.etag ?? ''
    return {
      bytes,
      etag: tag === '' || tag.length > MAX_ETAG_LENGTH ? undefined : tag,
      longPoll: mediaTypeOf(response) === LONG_POLL_TYPE,
    }
  } catch (cause) {
    if (cause instanceof BundleError) throw cause
    const reason = deadline.aborted ? 'did not answer in time' : messageOf(cause)
    throw new BundleError('service', `the bundle service cannot be asked: ${reason}`, { cause })
  }
}

function headersOf({ etag, waitMs }: FetchOptions): Record<string, string> {
  const wait = waitMs === 0 ? '' : `;wait=${Math.ceil(waitMs / 1000)}`
  return {
    accept: 'application/gzip, application/octet-stream, application/vnd.openpolicyagent.bundles',
    'accept-encoding': 'identity',
    // Deltas are not signed, and a module cannot be sent as one.
    prefer: `modes=snapshot${wait}`,
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
  }
}

function refuseOther(response: IncomingMessage): void {
  const { statusCode = 0 } = response
  const type = mediaTypeOf(response)
  const reason =
    statusCode >= 300 && statusCode < 400 && statusCode !== 304
      ? `answered ${statusCode}, and redirects are not followed`
      : statusCode !== 200
        ? `answered ${statusCode}`
        : // A login page or an error document that came as a success.
          /^text\/|[/+](?:json|xml)$/.test(type)
          ? `answered with ${JSON.stringify(type.slice(0, 80))}, which is no bundle`
          : undefined
  if (reason === undefined) return
  response.destroy()
  throw new BundleError('service', `the bundle service ${reason}`, { httpStatus: statusCode })
}

function mediaTypeOf(response: IncomingMessage): string {
  return (response.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

async function readAtMost(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  try {
    if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes)
    for await (const chunk of response as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length
      if (sizeBytes > maxBytes) throw tooLarge(maxBytes)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks, sizeBytes)
  } finally {
    response.destroy()
  }
}

function tooLarge(maxBytes: number): BundleError {
  return new BundleError('archive', `the bundle service sent more than ${maxBytes} bytes`)
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
