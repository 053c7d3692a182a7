import { readFileSync } from 'node:fs'
import { get as getHttp } from 'node:http'
import { get as getHttps } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { isLoopback } from '../config/loopback.ts'
import { parseStrictJson } from '../lib/strict-json.ts'

interface FetchJsonOptions {
  readonly timeoutMs: number
  readonly maxBytes: number
  /** PEM file of the only authorities to trust; those of the system where absent. */
  readonly caFile: string | undefined
}

/** Gets one JSON document; rejects on any other answer than 200, on a redirect, on too many bytes, on no answer. */
export type FetchJson = (uri: string, options: FetchJsonOptions) => Promise<unknown>

const MAX_DEPTH = 16

/**
 * {@link FetchJson} on Node's own client: one connection for each fetch, because a key set is fetched every few
 * minutes. Never follows a redirect: whoever can redirect would choose the keys.
 */
export const fetchJson: FetchJson = async (uri, options) => {
  const url = new URL(uri)
  if (!isFetchable(url)) throw new TypeError('keys are fetched over https, or http on loopback')
  const signal = AbortSignal.timeout(options.timeoutMs)
  const ca = options.caFile === undefined ? undefined : readFileSync(options.caFile)
  const response = await answerOf(url, ca, signal)
  const bytes = await readAtMost(response, options.maxBytes)
  const reading = parseStrictJson(bytes, MAX_DEPTH)
  if (!reading.ok) throw new TypeError(`the key server answered with ${reading.reason}`)
  return reading.value
}

/** https anywhere, http only where no one is between. */
export function isFetchable(url: URL): boolean {
  if (url.username !== '' || url.password !== '') return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
}

function answerOf(url: URL, ca: Buffer | undefined, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const headers = { accept: 'application/jwk-set+json, application/json' }
  const request =
    url.protocol === 'https:'
      ? getHttps(url, { agent: false, signal, headers, ...(ca === undefined ? {} : { ca }) }, resolve)
      : getHttp(url, { agent: false, signal, headers }, resolve)
  request.on('error', reject)
  return promise
}

async function readAtMost(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  try {
    if (response.statusCode !== 200) throw new Error(`the key server answered ${response.statusCode}`)
    for await (const chunk of response as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length
      if (sizeBytes > maxBytes) throw new RangeError(`the key server sent more than ${maxBytes} bytes`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  } finally {
    response.destroy()
  }
}
