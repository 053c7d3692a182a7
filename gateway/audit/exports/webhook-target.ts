import { createHmac } from 'node:crypto'
import type { WebhookConfig } from '../../config/export-config.ts'
import type { Clock } from '../../lib/clock.ts'
import { openUpload, UploadError } from '../../policy/decision-log/upload.ts'
import { BatchTooLarge, type ExportTarget } from './target.ts'

export interface WebhookTargetOptions {
  readonly config: WebhookConfig
  /** Asked for at every request, so that it can rotate. */
  readonly token: (() => string) | undefined
  readonly signingSecret: (() => string) | undefined
  readonly clock: Clock
}

/** Posts JSON Lines over one connection; any answer but 2xx, a redirect too, is none. */
export function createWebhookTarget(options: WebhookTargetOptions): ExportTarget {
  const { config, token, signingSecret, clock } = options
  let id = ''
  const upload = openUpload({
    config: { service: config, resource: config.resource },
    token,
    headersOf: (body) => ({
      'content-type': 'application/x-ndjson',
      ...webhookHeaders({
        id,
        body,
        timestamp: Math.floor(clock.nowMs() / 1_000),
        secret: signingSecret?.(),
      }),
    }),
  })
  return {
    async deliver(events, signal) {
      id = `${events[0]?.id ?? ''}+${String(events.length)}`
      try {
        await upload.send(Buffer.from(events.map(({ line }) => `${line}\n`).join('')), signal)
      } catch (error) {
        // RFC 9110 §15.5.14
        if (error instanceof UploadError && error.httpStatus === 413)
          throw new BatchTooLarge(error.message, { cause: error })
        throw error
      }
    },
    [Symbol.asyncDispose]: () => {
      upload[Symbol.dispose]()
      return Promise.resolve()
    },
  }
}

/** @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
export function webhookHeaders(signed: {
  readonly id: string
  readonly body: Buffer
  readonly timestamp: number
  readonly secret: string | undefined
}): Readonly<Record<string, string>> {
  const { id, body, secret } = signed
  const timestamp = String(signed.timestamp)
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp }
  if (secret === undefined) return headers
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret)
  const mac = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')
  return { ...headers, 'webhook-signature': `v1,${mac}` }
}
