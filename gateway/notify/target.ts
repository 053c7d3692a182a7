import type { NotifyEvent } from './event.ts'

/** One place that is told. */
export interface NotifyTarget extends AsyncDisposable {
  /**
   * Resolves once it has been told, or needs not be; it may have been told before, where an answer was lost.
   *
   * @throws DeliveryError
   */
  deliver(event: NotifyEvent, signal: AbortSignal): Promise<void>
}

/** A place did not take what it was told. What it says is fit for a log: no address, no secret, nothing of the event. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError'
  /** `never` where the same again would be refused again. */
  readonly retry: 'later' | 'never'
  /** How long the place wants to be left alone. */
  readonly afterMs: number | undefined

  constructor(message: string, retry: 'later' | 'never', afterMs?: number) {
    super(message)
    this.retry = retry
    this.afterMs = afterMs
  }
}

/**
 * What an HTTP answer means. Of the client errors only those are final that are about the message itself: a credential
 * that is refused, or a path that is not there, is mended on the other side or by a rotation.
 */
export function errorOfStatus(status: number, retryAfterMs: number | undefined): DeliveryError {
  const isFinal = status === 400 || status === 413 || status === 415 || status === 422
  const redirected = status >= 300 && status < 400 ? ', and redirects are not followed' : ''
  return new DeliveryError(
    `was answered ${String(status)}${redirected}`,
    isFinal ? 'never' : 'later',
    retryAfterMs,
  )
}
