import { Readable } from 'node:stream'
import { GatewayFault } from '../fault.ts'
import { REQUEST_BODY_BROKEN, UpstreamError } from './upstream-error.ts'

/**
 * A view of the caller's body that the HTTP client may destroy: it always does so when it is done, and destroying
 * the body itself would take the caller's connection along, on which a reply is still owed. What is left unread
 * when the upstream answers early is read and thrown away, so that a caller that only writes comes to read.
 */
export function detached(source: Readable): Readable {
  const onData = (chunk: Buffer): void => {
    if (!view.push(chunk)) source.pause()
  }
  const onEnd = (): void => void view.push(null)
  const onError = (error: Error): void => {
    view.destroy(error instanceof GatewayFault ? error : new UpstreamError(REQUEST_BODY_BROKEN))
  }
  const onClose = (): void => {
    if (!source.readableEnded) onError(new UpstreamError(REQUEST_BODY_BROKEN))
  }
  const view = new Readable({
    read: () => source.resume(),
    destroy: (error, callback) => {
      source.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onError)
      // An error of the source that comes later has no one to hear it and must not end the process.
      source.on('error', () => undefined)
      source.resume()
      callback(error)
    },
  })
  source.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onError)
  if (source.readableEnded) view.push(null)
  else source.pause()
  return view
}
