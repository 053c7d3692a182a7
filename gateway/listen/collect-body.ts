import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { GatewayFault, refusalOfAbort } from '../fault.ts'
import { pass, refuse } from '../refusal.ts'
import type { Verdict } from '../refusal.ts'

export interface BodyLimits {
  /** More than this is refused, held or streamed. */
  readonly limitBytes: number
  /** More than this is not held in memory but handed on as a stream. */
  readonly holdBytes: number
}

/** A body in hand, or one too large to hold that goes by as a stream. */
export type Collected = { readonly bytes: Buffer } | { readonly stream: Readable }

const NOTHING = Buffer.alloc(0)

/**
 * Takes the body in. Without a promise where all of it has already arrived, which is the rule for a small body once
 * identify and admit have had their turn. `signal` carries the deadline and the client's leaving.
 */
export function collectBody(
  request: IncomingMessage,
  declaredBytes: number | undefined,
  limits: BodyLimits,
  signal: AbortSignal,
): Verdict<Collected> | Promise<Verdict<Collected>> {
  if (declaredBytes !== undefined && declaredBytes > limits.limitBytes) return tooLarge()
  if (declaredBytes !== undefined && declaredBytes > limits.holdBytes) {
    return pass({ stream: streamOf([], request, limits.limitBytes) })
  }
  if (request.complete) {
    const bytes: Buffer = (request.read() as Buffer | null) ?? NOTHING
    if (bytes.length > limits.limitBytes) return tooLarge()
    return pass({ bytes })
  }
  return collect(request, limits, signal)
}

function collect(
  request: IncomingMessage,
  { limitBytes, holdBytes }: BodyLimits,
  signal: AbortSignal,
): Promise<Verdict<Collected>> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let sizeBytes = 0
    const settle = (verdict: Verdict<Collected>): void => {
      request.off('data', take).off('end', finish).off('error', leave).off('close', leave)
      signal.removeEventListener('abort', stop)
      resolve(verdict)
    }
    const take = (chunk: Buffer): void => {
      chunks.push(chunk)
      sizeBytes += chunk.length
      if (sizeBytes <= holdBytes) return
      request.pause()
      settle(sizeBytes > limitBytes ? tooLarge() : pass({ stream: streamOf(chunks, request, limitBytes) }))
    }
    const finish = (): void =>
      settle(pass({ bytes: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, sizeBytes) }))
    const leave = (): void => settle(refuse('request.malformed', { detail: 'the body broke off' }))
    const stop = (): void =>
      settle({ ok: false, refusal: refusalOfAbort(signal, { code: 'request.timeout' }) })
    if (signal.aborted) return stop()
    signal.addEventListener('abort', stop, { once: true })
    request.on('data', take).once('end', finish).once('error', leave).once('close', leave)
  })
}

/**
 * The body as a stream of its own: an upstream that stops reading destroys this one, and the caller's connection
 * stays to carry the answer. Breaks with a GatewayFault once it grows beyond the limit.
 */
function streamOf(held: readonly Buffer[], request: IncomingMessage, limitBytes: number): Readable {
  return Readable.from(counted(held, request, limitBytes), { objectMode: false })
}

async function* counted(held: readonly Buffer[], request: IncomingMessage, limitBytes: number) {
  let sizeBytes = 0
  for (const chunk of held) {
    sizeBytes += chunk.length
    yield chunk
  }
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > limitBytes)
      throw new GatewayFault('request.body_too_large', 'the body grew beyond the limit')
    yield chunk
  }
  if (!request.complete) throw new GatewayFault('request.malformed', 'the body broke off')
}

function tooLarge(): Verdict<never> {
  return refuse('request.body_too_large')
}
