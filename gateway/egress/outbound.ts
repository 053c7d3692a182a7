import type { Dispatcher } from 'undici'
import type { OutboundConfig } from '../config/notify-config.ts'
import type { Lookup } from './guarded-connector.ts'
import { createTransport } from './pools.ts'
import { stripped } from './upstream-error.ts'

export interface OutboundRequest {
  /** Appended to the path of the configured URL; empty for none. */
  readonly resource: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly signal: AbortSignal
}

export interface OutboundAnswer {
  readonly status: number
  /** `Retry-After` in milliseconds; `undefined` where it is absent or a date. */
  readonly retryAfterMs: number | undefined
  /** The first {@link ANSWER_LIMIT_BYTES} of it. */
  readonly body: Buffer
}

/** Posts what the gateway itself has to say, under the same rules as a call: guarded addresses, no redirects. */
export interface Outbound extends AsyncDisposable {
  /** @throws UpstreamError with a code and nothing of the request; {@link TIMED_OUT} when no answer came in time */
  post(request: OutboundRequest): Promise<OutboundAnswer>
}

export interface OutboundOptions {
  readonly config: OutboundConfig
  /** Of the settings in toolgate.yaml. */
  readonly path: string
  /** Name resolution; the system's by default. */
  readonly lookup?: Lookup
}

export const TIMED_OUT = 'TOOLGATE_ANSWER_TIMEOUT'
const ANSWER_LIMIT_BYTES = 262_144
const CONNECTIONS = 2

/** Throws a `ConfigError` when an allowed range is none or the CA file cannot be read. */
export function createOutbound({ config, path, lookup }: OutboundOptions): Outbound {
  const { url, timeoutMs, allowAddresses, caFile } = config
  const limits = { allowAddresses, caFile, connections: CONNECTIONS, ...waits(timeoutMs) }
  const { origin, pathname } = new URL(url)
  const pool = createTransport(path, limits, lookup).createPool(origin)
  const base = pathname === '/' ? '' : pathname
  return {
    async post({ resource, headers, body, signal }) {
      const deadline = AbortSignal.timeout(timeoutMs)
      try {
        const answer = await pool.request({
          method: 'POST',
          path: `${base}${resource === '' ? '' : `/${resource}`}` || '/',
          headers: { ...headers, 'content-length': String(body.length) },
          body,
          signal: AbortSignal.any([signal, deadline]),
        })
        return {
          status: answer.statusCode,
          retryAfterMs: retryAfterOf(answer.headers['retry-after']),
          body: await bounded(answer.body),
        }
      } catch (error) {
        // oxlint-disable-next-line preserve-caught-error -- it may hold the request, and with it a secret
        throw deadline.aborted ? stripped({ code: TIMED_OUT }) : stripped(error)
      }
    },
    [Symbol.asyncDispose]: () => pool.destroy(),
  }
}

function waits(timeoutMs: number) {
  return { connectTimeoutMs: timeoutMs, replyTimeoutMs: timeoutMs, idleTimeoutMs: timeoutMs }
}

function retryAfterOf(value: string | string[] | undefined): number | undefined {
  return typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) * 1_000 : undefined
}

/** A longer answer ends its connection: nobody needs the rest of it. */
async function bounded(body: Dispatcher.ResponseData['body']): Promise<Buffer> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    sizeBytes += chunk.length
    if (sizeBytes >= ANSWER_LIMIT_BYTES) break
  }
  return Buffer.concat(chunks).subarray(0, ANSWER_LIMIT_BYTES)
}
