import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { IncomingMessage } from 'node:http'
import type { DecisionLogConfig } from '../../config/decision-log-config.ts'
import { requestService } from '../service-request.ts'

/** A collector that did not take what it was sent. */
export class UploadError extends Error {
  override readonly name = 'UploadError'
  /** Status that the collector answered with; `undefined` when it did not answer. */
  readonly httpStatus: number | undefined

  constructor(message: string, httpStatus?: number, options?: { cause?: unknown }) {
    super(message, options)
    this.httpStatus = httpStatus
  }
}

export interface UploadOptions {
  readonly config: Pick<DecisionLogConfig, 'service' | 'resource'>
  readonly token: (() => string) | undefined
  /** What a chunk is said to be, and signed with; gzipped JSON without. */
  readonly headersOf?: (chunk: Buffer) => Readonly<Record<string, string>>
}

/** Posts chunks over one connection, which ends with it. */
export interface Upload extends Disposable {
  /** @throws UploadError when the collector did not answer 2xx in time */
  send(chunk: Buffer, signal: AbortSignal): Promise<void>
}

export function openUpload({ config, token, headersOf = gzippedJson }: UploadOptions): Upload {
  const { service, resource } = config
  const Agent = service.url.startsWith('https:') ? HttpsAgent : HttpAgent
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return {
    async send(chunk, signal) {
      const deadline = AbortSignal.timeout(service.timeoutMs)
      let status: number
      try {
        const response = await requestService(service, {
          method: 'POST',
          resource,
          headers: {
            ...headersOf(chunk),
            'content-length': String(chunk.length),
          },
          body: chunk,
          token,
          agent,
          signal: AbortSignal.any([signal, deadline]),
        })
        status = response.statusCode ?? 0
        await discard(response)
      } catch (cause) {
        const reason = deadline.aborted ? 'did not answer in time' : messageOf(cause)
        throw new UploadError(`log upload failed: ${reason}`, undefined, { cause })
      }
      if (status < 200 || status > 299) {
        const redirected = status >= 300 && status < 400 ? ', and redirects are not followed' : ''
        throw new UploadError(`log upload failed, the service answered ${status}${redirected}`, status)
      }
    },
    [Symbol.dispose]: () => agent.destroy(),
  }
}

function gzippedJson(): Readonly<Record<string, string>> {
  return { 'content-type': 'application/json', 'content-encoding': 'gzip' }
}

const ANSWER_LIMIT_BYTES = 65_536

/** Reads an answer that nobody needs, so that its connection can be used again; a long one ends the connection. */
async function discard(response: IncomingMessage): Promise<void> {
  let sizeBytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > ANSWER_LIMIT_BYTES) break
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
