import type { WebhookConfig } from '../../config/export-config.ts'
import type { Clock } from '../../lib/clock.ts'
import { webhookHeaders } from '../../lib/standard-webhook.ts'
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
      ...webhookHeaders(
        { id, body, timestamp: Math.floor(clock.nowMs() / 1_000) },
        signingSecret === undefined ? [] : [signingSecret()],
      ),
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
