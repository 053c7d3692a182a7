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

export type Collected =
  { readonly ok: true; readonly bytes: Buffer } | { readonly ok: false; readonly reason: string }

/** All of a body; broken off where it grows beyond `limitBytes`. Never rejects. */
export function collect(body: UpstreamBody, limitBytes: number): Promise<Collected> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let heldBytes = 0
    body.consume({
      write: (chunk) => {
        heldBytes += chunk.length
        if (heldBytes <= limitBytes) {
          chunks.push(chunk)
          return true
        }
        chunks.length = 0
        body.abort()
        resolve({ ok: false, reason: `the answer is larger than ${limitBytes} bytes` })
        return false
      },
      end: () => resolve({ ok: true, bytes: Buffer.concat(chunks) }),
      fail: (cause) => resolve({ ok: false, reason: `the answer broke off: ${cause.message}` }),
    })
  })
}

/** A body that is there already. */
export function wholeBody(bytes: Buffer): UpstreamBody {
  return {
    whole: bytes,
    consume: (sink) => {
      sink.write(bytes)
      sink.end()
    },
    resume: () => undefined,
    abort: () => undefined,
  }
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
