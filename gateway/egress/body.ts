import type { BodySink, UpstreamBody } from './upstream.ts'
import { REPLY_TOO_LARGE, UpstreamError } from './upstream-error.ts'

/** Reads what is left of an answer nobody wants, so that its connection serves again; breaks off what is long. */
export function discard(body: UpstreamBody, limitBytes: number): void {
  let readBytes = 0
  body.consume({
    write: (chunk) => {
      readBytes += chunk.length
      if (readBytes > limitBytes) body.abort()
      return true
    },
    end: () => undefined,
    fail: () => undefined,
  })
}

/** The same body, broken off where it grows beyond `limitBytes`. */
export function capped(body: UpstreamBody, limitBytes: number): UpstreamBody {
  return {
    get whole() {
      const { whole } = body
      return whole !== undefined && whole.length > limitBytes ? undefined : whole
    },
    consume: (sink) => body.consume(cappedSink(body, sink, limitBytes)),
    resume: () => body.resume(),
    abort: () => body.abort(),
  }
}

function cappedSink(body: UpstreamBody, sink: BodySink, limitBytes: number): BodySink {
  let readBytes = 0
  let broken = false
  return {
    write: (chunk) => {
      readBytes += chunk.length
      if (readBytes <= limitBytes) return sink.write(chunk)
      if (broken) return false
      broken = true
      body.abort()
      sink.fail(new UpstreamError(REPLY_TOO_LARGE))
      return false
    },
    end: () => {
      if (!broken) sink.end()
    },
    fail: (cause) => {
      if (!broken) sink.fail(cause)
    },
  }
}
