import type { DecisionLogConfig } from '../../config/decision-log-config.ts'
import { retryDelayMs } from '../retry-delay.ts'
import { ChunkPacker } from './chunk-packer.ts'
import type { EventBuffer } from './event-buffer.ts'
import { openUpload, UploadError, type Upload } from './upload.ts'

/** Share of a full buffer at which an upload waits for no delay. */
const URGENT_SHARE = 0.5

export type UploadEvent =
  | { readonly type: 'uploaded'; readonly events: number; readonly bytes: number }
  /** An event that no chunk has room for. */
  | { readonly type: 'too_large' }
  | { readonly type: 'cache_dropped' }
  | { readonly type: 'upload_failed'; readonly error: Error; readonly httpStatus: number | undefined }
  /** Everything was uploaded, or there was nothing. */
  | { readonly type: 'upload_done' }

export interface UploaderOptions {
  readonly config: DecisionLogConfig
  readonly token: (() => string) | undefined
  readonly buffer: EventBuffer
  readonly onEvent: (event: UploadEvent) => void
}

/** Empties the buffer into the collector: now and then, and at once where it fills up. */
export class Uploader {
  readonly #options: UploaderOptions
  readonly #packer: ChunkPacker
  readonly #closing = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #failures = 0

  constructor(options: UploaderOptions) {
    this.#options = options
    this.#packer = new ChunkPacker(options.config.uploadLimitBytes)
    this.#schedule()
  }

  /** Told after events were added. */
  added(): void {
    const { config, buffer } = this.#options
    // A collector that fails is left alone until its time, however much waits for it.
    if (this.#running !== undefined || this.#failures > 0) return
    const { limitBytes, limitEvents } = config.buffer
    const filled = Math.max(buffer.sizeBytes / limitBytes, buffer.events / limitEvents)
    const hasChunk = config.trigger === 'immediate' && buffer.sizeBytes >= this.#packer.wantedBytes
    if (hasChunk || filled >= URGENT_SHARE) this.#start()
  }

  /** Uploads what is there, unless that takes longer than `deadlineMs`; nothing is uploaded afterwards. */
  async close(deadlineMs: number): Promise<void> {
    clearTimeout(this.#timer)
    const late = setTimeout(() => this.#closing.abort(), deadlineMs)
    await this.#running
    clearTimeout(this.#timer)
    if (this.#options.buffer.events > 0 && !this.#closing.signal.aborted) await this.#run()
    clearTimeout(late)
    clearTimeout(this.#timer)
    this.#closing.abort()
  }

  #start(): void {
    if (this.#closing.signal.aborted || this.#running !== undefined) return
    clearTimeout(this.#timer)
    this.#running = this.#run().finally(() => {
      this.#running = undefined
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#closing.signal.aborted) return
    const { minDelayMs, maxDelayMs } = this.#options.config
    const delayMs =
      this.#failures > 0
        ? retryDelayMs(this.#failures, maxDelayMs)
        : minDelayMs + Math.random() * (maxDelayMs - minDelayMs)
    this.#timer = setTimeout(() => this.#start(), delayMs)
    this.#timer.unref()
  }

  async #run(): Promise<void> {
    const { config, token, onEvent } = this.#options
    using upload = openUpload({ config, token })
    try {
      while (await this.#uploadChunk(upload));
      this.#failures = 0
      onEvent({ type: 'upload_done' })
    } catch (thrown) {
      this.#failures += 1
      const error = thrown instanceof Error ? thrown : new Error(String(thrown))
      onEvent({
        type: 'upload_failed',
        error,
        httpStatus: error instanceof UploadError ? error.httpStatus : undefined,
      })
    }
  }

  /** Whether there was anything to upload. */
  async #uploadChunk(upload: Upload): Promise<boolean> {
    const { buffer, onEvent } = this.#options
    const { first, events } = await buffer.peek(this.#packer.wantedBytes)
    if (events.length === 0) return false
    const { chunk, taken, cacheDropped } = await this.#packer.pack(events)
    const sent = chunk === undefined ? 'too large' : await this.#send(upload, chunk)
    if (sent === 'too large' && taken > 1) {
      // Packed anew, smaller, they may be taken; sent again as they are they never would.
      this.#packer.shrink()
      return true
    }
    await buffer.remove(first + taken)
    if (sent === 'too large') onEvent({ type: 'too_large' })
    else {
      if (cacheDropped) onEvent({ type: 'cache_dropped' })
      onEvent({ type: 'uploaded', events: taken, bytes: chunk?.length ?? 0 })
    }
    return true
  }

  async #send(upload: Upload, chunk: Buffer): Promise<'sent' | 'too large'> {
    try {
      await upload.send(chunk, this.#closing.signal)
      return 'sent'
    } catch (error) {
      // RFC 9110 §15.5.14: the collector takes less than what is configured here.
      if (error instanceof UploadError && error.httpStatus === 413) return 'too large'
      throw error
    }
  }
}
