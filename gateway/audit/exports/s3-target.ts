import { createHash } from 'node:crypto'
import type { S3Config } from '../../config/export-config.ts'
import type { Clock } from '../../lib/clock.ts'
import { requestService } from '../../policy/service-request.ts'
import { signAws } from './aws-signature.ts'
import type { ExportEvent, ExportTarget } from './target.ts'

const DAY_MS = 86_400_000
/** Wide enough that keys sort as the entries do. */
const INDEX_DIGITS = 12

export interface S3TargetOptions {
  readonly config: S3Config
  readonly accessKeyId: () => string
  readonly secretAccessKey: () => string
  readonly clock: Clock
}

/** Puts each batch as an object of its own, under Object Lock where that is configured. */
export function createS3Target({
  config,
  accessKeyId,
  secretAccessKey,
  clock,
}: S3TargetOptions): ExportTarget {
  return {
    async deliver(events, signal) {
      const body = Buffer.from(events.map(({ line }) => `${line}\n`).join(''))
      const resource = `${config.bucket}/${keyOf(config.prefix, events)}`
      const nowMs = clock.nowMs()
      const headers = signAws({
        method: 'PUT',
        url: new URL(`${config.url}/${resource}`),
        headers: { ...headersOf(config, body, nowMs), 'content-length': String(body.length) },
        body,
        region: config.region,
        credentials: { accessKeyId: accessKeyId(), secretAccessKey: secretAccessKey() },
        nowMs,
      })
      const limit = AbortSignal.any([signal, AbortSignal.timeout(config.timeoutMs)])
      const sent = { method: 'PUT', resource, headers, body, token: undefined, signal: limit } as const
      const response = await requestService({ ...config, token: undefined }, sent)
      response.destroy()
      const { statusCode } = response
      if (statusCode !== 200) throw new Error(`object storage answered ${String(statusCode)}`)
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** `<prefix>/<origin of the log>/<first index>-<last index>.jsonl`: a batch sent again mostly replaces itself. */
function keyOf(prefix: string, events: readonly ExportEvent[]): string {
  const place = (event: ExportEvent | undefined): [origin: string, index: string] => {
    const id = event?.id ?? ''
    const at = id.lastIndexOf(':')
    return [id.slice(0, at), id.slice(at + 1).padStart(INDEX_DIGITS, '0')]
  }
  const [origin, first] = place(events[0])
  const [, last] = place(events.at(-1))
  return `${prefix === '' ? '' : `${prefix}/`}${origin}/${first}-${last}.jsonl`
}

function headersOf({ objectLock }: S3Config, body: Buffer, nowMs: number): Record<string, string> {
  const headers = {
    'content-type': 'application/x-ndjson',
    // Object Lock demands a checksum beside the signature.
    'x-amz-checksum-sha256': createHash('sha256').update(body).digest('base64'),
  }
  if (objectLock === undefined) return headers
  return {
    ...headers,
    'x-amz-object-lock-mode': objectLock.mode,
    'x-amz-object-lock-retain-until-date': new Date(nowMs + objectLock.retentionDays * DAY_MS).toISOString(),
  }
}
