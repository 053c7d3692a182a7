import { createServer as createHttpServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Behaviours } from './fake-behaviours.ts'
import { findLeaks } from './fake-leaks.ts'
import { finish, send } from './fake-reply.ts'
import type { Behaviour, FakeVendor } from './fake-reply.ts'
import type { FakeRequest } from './fake-route.ts'

const BODY_LIMIT_BYTES = 64 * 1024 * 1024

/** One request as it arrived. It is listed when its header section is in; `body` is filled when it is read. */
export interface RecordedRequest {
  readonly method: string
  readonly target: string
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
  /** What of the agent's own hop arrived here (`dpop`, `toolgate-task`, `authorization carries at+jwt` …). */
  readonly leaks: readonly string[]
  /** How the exchange ended: the whole reply was sent, or one side broke off. */
  readonly ended: Promise<'sent' | 'aborted'>
}

export interface FakeOptions {
  /** 0, the default, lets the system choose. */
  readonly port?: number
  /** 127.0.0.1 where absent. */
  readonly host?: string
  /** PEM texts; the fake speaks plain HTTP where absent. */
  readonly tls?: { readonly key: string; readonly cert: string }
}

/** Options of a fake whose vendor redirects downloads to a second host. */
export interface RedirectingFakeOptions extends FakeOptions {
  /** Host name in `Location`, such as the vendor's own; the second host's address where absent. */
  readonly redirectHost?: string
}

export interface Fake extends AsyncDisposable {
  readonly origin: string
  readonly requests: readonly RecordedRequest[]
  /** Changes answers until the returned handle is disposed; the newest behaviour that applies wins. */
  readonly behave: (behaviour: Behaviour) => Disposable
  /** The first request, past or future, for which `test` holds; rejects after `timeoutMs`. */
  readonly received: (
    test: (request: RecordedRequest) => boolean,
    timeoutMs?: number,
  ) => Promise<RecordedRequest>
}

interface Recording {
  method: string
  target: string
  rawHeaders: readonly string[]
  body: Buffer
  leaks: readonly string[]
  ended: Promise<'sent' | 'aborted'>
}

/** Starts the stand-in for one vendor host; the shared plumbing of every `fake.ts`. */
export async function startFakeServer(vendor: FakeVendor, options: FakeOptions = {}): Promise<Fake> {
  const requests: Recording[] = []
  const watchers = new Set<(request: RecordedRequest) => void>()
  const behaviours = new Behaviours()
  const stopping = new AbortController()

  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const recording = record(incoming, response)
    requests.push(recording)
    recording.body = await readBody(incoming)
    recording.leaks = findLeaks(recording.target, incoming.headers, recording.body)
    for (const watcher of watchers) watcher(recording)
    const request = toFakeRequest(vendor, incoming, recording.body)
    const behaviour = behaviours.take(request)
    if (behaviour.delayMs !== undefined)
      await delay(behaviour.delayMs, undefined, { signal: stopping.signal })
    await send(response, request, await finish(vendor, request, behaviour), behaviour)
  }

  const server = listenOn(options.tls, (incoming, response) => {
    // Only a peer that left, or the fake's own end, gets here: there is nobody to answer.
    serve(incoming, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve)
  })

  return {
    origin: originOf(server, options),
    requests,
    behave: (behaviour) => behaviours.add(behaviour),
    received: (test, timeoutMs = 5_000) => firstRequest(requests, watchers, test, timeoutMs),
    [Symbol.asyncDispose]: async () => {
      stopping.abort()
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

/** Where a vendor redirects to: the second host, under the name that a test wants to see. */
export function redirectOrigin(second: Fake, options: RedirectingFakeOptions): string {
  const url = new URL(second.origin)
  if (options.redirectHost !== undefined) url.hostname = options.redirectHost
  return url.origin
}

function listenOn(
  tls: FakeOptions['tls'],
  listener: (incoming: IncomingMessage, response: ServerResponse) => void,
): Server {
  return tls === undefined
    ? createHttpServer(listener)
    : createHttpsServer({ key: tls.key, cert: tls.cert }, listener)
}

function originOf(server: Server, options: FakeOptions): string {
  const { port } = server.address() as AddressInfo
  return `${options.tls === undefined ? 'http' : 'https'}://${options.host ?? '127.0.0.1'}:${port}`
}

function record(incoming: IncomingMessage, response: ServerResponse): Recording {
  return {
    method: incoming.method ?? '',
    target: incoming.url ?? '',
    rawHeaders: incoming.rawHeaders,
    body: Buffer.alloc(0),
    leaks: [],
    ended: new Promise((resolve) => {
      response.once('close', () => resolve(response.writableFinished ? 'sent' : 'aborted'))
    }),
  }
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > BODY_LIMIT_BYTES)
      throw new Error(`a fake reads at most ${BODY_LIMIT_BYTES} bytes of a body`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function toFakeRequest(vendor: FakeVendor, incoming: IncomingMessage, body: Buffer): FakeRequest {
  const [rawPath = '', rawQuery = ''] = (incoming.url ?? '').split('?', 2)
  return {
    method: incoming.method ?? '',
    path: vendor.alias?.(rawPath) ?? rawPath,
    query: new URLSearchParams(rawQuery),
    headers: incoming.headers,
    body,
    param: () => '',
  }
}

function firstRequest(
  requests: readonly RecordedRequest[],
  watchers: Set<(request: RecordedRequest) => void>,
  test: (request: RecordedRequest) => boolean,
  timeoutMs: number,
): Promise<RecordedRequest> {
  const seen = requests.find(test)
  if (seen !== undefined) return Promise.resolve(seen)
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      watchers.delete(watcher)
      reject(new Error(`no such request arrived within ${timeoutMs} ms`))
    }, timeoutMs)
    const watcher = (request: RecordedRequest): void => {
      if (!test(request)) return
      clearTimeout(timer)
      watchers.delete(watcher)
      resolve(request)
    }
    watchers.add(watcher)
  })
}
