import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server as TcpServer, Socket } from 'node:net'
import type { Connector } from '../../gateway/catalog/connector.ts'

/** The connector of a made-up vendor at this origin, with everything optional left out. */
export function vendorConnector(origin: string, changes: Partial<Connector> = {}): Connector {
  return {
    name: 'vendor',
    origin,
    basePath: '',
    dialect: 'problem',
    bodyLimitBytes: 1_048_576,
    prefix: '/vendor',
    headers: { request: [], response: [] },
    redirectHosts: [],
    links: { header: true, body: false, origins: [] },
    credentialParameters: { query: [], body: [] },
    sensitiveResources: [],
    ...changes,
  }
}

/** One request as the upstream saw it. */
interface RecordedRequest {
  readonly method: string
  readonly target: string
  /** Flat name, value list as received. */
  readonly headers: readonly string[]
  readonly body: Buffer
}

interface Listening extends AsyncDisposable {
  readonly origin: string
  readonly port: number
  /** Connections open now. */
  readonly connections: () => number
  /** Connections opened so far. */
  readonly accepted: () => number
}

export interface Upstream extends Listening {
  /** Complete requests, in the order in which their bodies ended. */
  readonly requests: readonly RecordedRequest[]
  /** The next request to become complete, or the first one not yet taken. */
  readonly nextRequest: () => Promise<RecordedRequest>
}

export type Answer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void

export interface UpstreamOptions {
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Answers as soon as the header section is there; the body is left to the handler and not recorded. */
  readonly early?: boolean
}

/** A real HTTP server on loopback that records what it is asked and answers as told. */
export async function startUpstream(answer: Answer, options: UpstreamOptions = {}): Promise<Upstream> {
  const requests: RecordedRequest[] = []
  const arrivals = new EventTarget()
  let taken = 0
  const record = (request: IncomingMessage, body: Buffer): void => {
    const { method = '', url: target = '', rawHeaders: headers } = request
    requests.push({ method, target, headers, body })
    arrivals.dispatchEvent(new Event('request'))
  }
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    if (options.early === true) {
      record(request, Buffer.alloc(0))
      answer(request, response, Buffer.alloc(0))
      return
    }
    const chunks: Buffer[] = []
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('error', () => undefined)
      .on('end', () => {
        const body = Buffer.concat(chunks)
        record(request, body)
        answer(request, response, body)
      })
  }
  const server: Server =
    options.tls === undefined ? createHttpServer(onRequest) : createHttpsServer(options.tls, onRequest)
  const listening = await listen(server, options.tls === undefined ? 'http' : 'https')
  return {
    ...listening,
    requests,
    nextRequest: async () => {
      while (requests.length <= taken) await once(arrivals, 'request')
      taken += 1
      return requests[taken - 1] as RecordedRequest
    },
  }
}

/** Answers each request on a bare socket, for what an HTTP library refuses to send. `count` is from 1. */
export type RawAnswer = (socket: Socket, head: string, count: number) => void

export interface RawUpstream extends Listening {
  /** Header sections received. */
  readonly heads: readonly string[]
}

export async function startRawUpstream(answer: RawAnswer): Promise<RawUpstream> {
  const heads: string[] = []
  const server = createTcpServer((socket) => {
    let held = ''
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      held += chunk.toString('latin1')
      for (let end = held.indexOf('\r\n\r\n'); end !== -1; end = held.indexOf('\r\n\r\n')) {
        const head = held.slice(0, end)
        held = held.slice(end + 4)
        heads.push(head)
        answer(socket, head, heads.length)
      }
    })
  })
  return { ...(await listen(server, 'http')), heads }
}

async function listen(server: TcpServer, scheme: 'http' | 'https'): Promise<Listening> {
  const sockets = new Set<Socket>()
  let accepted = 0
  server.on('connection', (socket: Socket) => {
    accepted += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    origin: `${scheme}://127.0.0.1:${port}`,
    port,
    connections: () => sockets.size,
    accepted: () => accepted,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
