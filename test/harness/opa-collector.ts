import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { eventProblems, statusProblems } from './opa-messages.ts'
import type { Pki } from './pki.ts'

type Json = Readonly<Record<string, unknown>>

export interface Upload {
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** Of the body as it came, compressed. */
  readonly sizeBytes: number
  readonly events: readonly Json[]
  readonly atMs: number
}

export interface OpaCollector extends AsyncDisposable {
  readonly url: string
  /** Requests that were taken: decision logs. */
  readonly uploads: readonly Upload[]
  /** Every event taken, in order. */
  readonly events: readonly Json[]
  readonly reports: readonly Json[]
  /** What was wrong with what was posted, in the order in which it was found. */
  readonly problems: readonly string[]
  /** How often it was asked, whatever it answered. */
  readonly requests: number
  /** Answers in place of the collector's own until told otherwise. */
  answerWith(listener: RequestListener | undefined): void
  /** Resolves once `condition` holds; looked at after each request. */
  until(condition: () => boolean): Promise<void>
}

export interface OpaCollectorOptions {
  /** TLS with a certificate of this authority, which clients have to have one of as well. */
  readonly pki?: Pki
  readonly token?: string
  /** Larger bodies are answered 413. */
  readonly limitBytes?: number
}

/**
 * What stands at the other end of OPA's decision log and status services: takes gzip and JSON, looks at every field of
 * every message, and keeps it. A message with a field that is missing, unknown or of another type is answered 400.
 */
export async function startOpaCollector(options: OpaCollectorOptions = {}): Promise<OpaCollector> {
  const { pki } = options
  const collected: Collected = { uploads: [], reports: [], problems: [] }
  const watchers = new Set<() => void>()
  let special: RequestListener | undefined
  let requests = 0
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    requests += 1
    if (special === undefined) void answer(request, response, collected, options).then(look)
    else special(request, response)
    look()
  }
  const look = (): void => {
    for (const watcher of watchers) watcher()
  }
  const server = pki === undefined ? createHttpServer(listener) : createHttpsServer(tlsOf(pki), listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `${pki === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...collected,
    get events() {
      return collected.uploads.flatMap(({ events }) => events)
    },
    get requests() {
      return requests
    },
    answerWith: (next) => {
      special = next
    },
    until: (condition) =>
      new Promise((resolve) => {
        const watcher = (): void => {
          if (!condition()) return
          watchers.delete(watcher)
          resolve()
        }
        watchers.add(watcher)
        watcher()
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

interface Collected {
  readonly uploads: Upload[]
  readonly reports: Json[]
  readonly problems: string[]
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  collected: Collected,
  { token, limitBytes = Infinity }: OpaCollectorOptions,
): Promise<void> {
  const { url = '', headers } = request
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  if (token !== undefined && headers.authorization !== `Bearer ${token}`)
    return void response.writeHead(401).end()
  if (body.length > limitBytes) return void response.writeHead(413).end()
  try {
    if (request.method !== 'POST') throw new Error(`${request.method} instead of POST`)
    if (headers['content-type'] !== 'application/json') throw new Error('no application/json')
    const isLog = headers['content-encoding'] === 'gzip'
    const message: unknown = JSON.parse(String(isLog ? gunzipSync(body) : body))
    const problems = isLog ? logProblems(message) : statusProblems(message)
    if (problems.length > 0) throw new Error(problems.join('; '))
    if (isLog) {
      const events = message as readonly Json[]
      collected.uploads.push({ url, headers, sizeBytes: body.length, events, atMs: performance.now() })
    } else collected.reports.push(message as Json)
    response.writeHead(200).end('{}')
  } catch (error) {
    collected.problems.push(`${url}: ${String(error)}`)
    response.writeHead(400).end()
  }
}

function logProblems(message: unknown): readonly string[] {
  if (!Array.isArray(message) || message.length === 0) return ['no list of events']
  return message.flatMap((event) => eventProblems(event))
}

function tlsOf(pki: Pki) {
  const { cert, key } = pki.server()
  return { cert, key, ca: pki.ca, requestCert: true, rejectUnauthorized: true }
}
