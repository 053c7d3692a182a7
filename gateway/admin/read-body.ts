import type { IncomingMessage } from 'node:http'
import { parseMediaType } from '../lib/media-type.ts'
import { parseStrictJson } from '../lib/strict-json.ts'
import { problem, type Answer } from './answer.ts'
import type { AdminRequest } from './request.ts'

export const BODY_LIMIT_BYTES = 65_536
const MAX_DEPTH = 16

type Reading<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly answer: Answer }

/** The bytes of the body, empty where there is none. */
export async function readBytes(incoming: IncomingMessage): Promise<Reading<Buffer>> {
  // What says its size is refused before any of it is read; what does not, once it is too much.
  if (Number(incoming.headers['content-length'] ?? 0) > BODY_LIMIT_BYTES) return tooLarge()
  const chunks: Buffer[] = []
  let sizeBytes = 0
  // Left open when it is too much: destroying the request would take the answer with it.
  for await (const chunk of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > BODY_LIMIT_BYTES) return tooLarge()
    chunks.push(chunk)
  }
  return { ok: true, value: Buffer.concat(chunks) }
}

/**
 * JSON that reads in one way only, `undefined` where no body was sent. Another media type is refused: a form that a
 * foreign page sends cannot say `application/json` without asking first (Fetch §4.8), and that is never granted.
 */
export async function readJson({ headers, incoming }: AdminRequest): Promise<Reading<unknown>> {
  const bytes = await readBytes(incoming)
  if (!bytes.ok) return bytes
  if (bytes.value.length === 0) return { ok: true, value: undefined }
  if (headers.has('content-encoding')) return refused(415, 'The body may not be encoded')
  const type = parseMediaType(headers.get('content-type') ?? '')
  const charset = type?.parameters.get('charset')?.toLowerCase() ?? 'utf-8'
  if (type?.essence !== 'application/json' || charset !== 'utf-8') {
    return refused(415, 'The body has to be application/json')
  }
  const reading = parseStrictJson(bytes.value, MAX_DEPTH)
  return reading.ok ? reading : refused(400, 'The body cannot be read', reading.reason)
}

function tooLarge(): Reading<never> {
  return refused(413, `The body is larger than ${BODY_LIMIT_BYTES} bytes`)
}

function refused(status: number, title: string, detail?: string): Reading<never> {
  return { ok: false, answer: problem(status, title, detail === undefined ? {} : { detail }) }
}
