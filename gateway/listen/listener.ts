import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createTlsServer, Server as TlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { ListenConfig } from '../config/config.ts'
import type { CallId } from '../exchange.ts'
import { createRandomPool } from '../lib/random-pool.ts'
import { createUuidV7 } from '../lib/uuid-v7.ts'
import { createCallGate } from './call-gate.ts'
import { Connections } from './connections.ts'
import { drainServers } from './drain.ts'
import type { DrainLimits, DrainReport } from './drain.ts'
import type { ListenerOptions } from './listener-options.ts'
import { certificateEndMs, readSecureContext, tlsServerOptions } from './tls.ts'
import { createUnparsedHandler } from './unparsed.ts'

/** How often Node looks for connections past their time; bounds how late a deadline can be. */
const DEADLINE_CHECK_MS = 500
const HANDSHAKE_TIMEOUT_MS = 10_000
const NEVER = new AbortController().signal

type ListenerState = 'accepting' | 'draining' | 'closed'

/** The open ports of the gateway, and every call that is in flight through them. */
export interface Listener extends AsyncDisposable {
  /** The main port, as bound. */
  readonly port: number
  readonly connectorPorts: readonly number[]
  readonly state: ListenerState
  readonly callsInFlight: number
  /** Milliseconds since the epoch; `undefined` without TLS. */
  readonly certificateEndsAtMs: number | undefined
  /**
   * Reads certificates, CA and CRL afresh for new connections and lets the old ones end with the reply they are at.
   *
   * @throws GatewayFault when the files cannot be used; the old ones then stay in force
   */
  reloadTls(): void
  /**
   * Ends without failing a call: for `graceMs` still accepts while every reply says `Connection: close` and readiness
   * is denied, then stops accepting and waits for the calls in flight; at `deadlineMs` after that, refuses them as
   * `gateway.draining`. The first caller's limits hold; once `hurry` is aborted, the waiting is over.
   */
  drain(limits: DrainLimits, hurry?: AbortSignal): Promise<DrainReport>
}

/** A server and the port it is bound to. */
interface OpenPort {
  readonly server: Server
  readonly port: number
}

/** Opens the main port and one more for each connector that has its own. */
export async function createListener(options: ListenerOptions): Promise<Listener> {
  const { config, clock } = options
  let state: ListenerState = 'accepting'
  let draining: Promise<DrainReport> | undefined
  const connections = new Connections(config.connectionMaxAgeMs, () => clock.monotonicMs())
  const nextCallId = createUuidV7(() => clock.nowMs(), createRandomPool()) as () => CallId
  const gate = createCallGate({
    ...options,
    connections,
    nextCallId,
    isDraining: () => state !== 'accepting',
  })
  const onUnparsed = createUnparsedHandler({ ...options, connections, nextCallId })
  const open = await openPorts(options, { ...options, connections, onUnparsed, serve: gate.serve })
  const servers = open.map(({ server }) => server)
  let certificateEndsAtMs = config.tls && certificateEndMs(readSecureContext(config.tls).cert)

  const close = async (limits: DrainLimits, hurry = NEVER): Promise<DrainReport> => {
    state = 'draining'
    const report = await drainServers(servers, connections, gate, limits, hurry)
    state = 'closed'
    return report
  }
  return {
    port: open[0]?.port ?? 0,
    connectorPorts: open.slice(1).map(({ port }) => port),
    get state() {
      return state
    },
    get callsInFlight() {
      return gate.size
    },
    get certificateEndsAtMs() {
      return certificateEndsAtMs
    },
    reloadTls: () => {
      if (config.tls === undefined) return
      const context = readSecureContext(config.tls)
      certificateEndsAtMs = certificateEndMs(context.cert)
      for (const server of servers) if (server instanceof TlsServer) server.setSecureContext(context)
      connections.outdateAll()
    },
    drain: (limits, hurry) => (draining ??= close(limits, hurry)),
    [Symbol.asyncDispose]: async () => {
      await (draining ??= close({ graceMs: 0, deadlineMs: 0 }))
    },
  }
}

/** Opens all ports or none. */
async function openPorts(
  { config, connectorPorts }: ListenerOptions,
  watchers: Watchers,
): Promise<readonly OpenPort[]> {
  const open: OpenPort[] = []
  try {
    for (const wanted of [config.port, ...connectorPorts]) {
      const server = openServer(config)
      const port = await listen(server, config.host, wanted)
      watch(server, port, watchers)
      open.push({ server, port })
    }
    return open
  } catch (cause) {
    for (const { server } of open) server.close()
    throw cause
  }
}

function openServer(config: ListenConfig): Server {
  const common = {
    insecureHTTPParser: false,
    joinDuplicateHeaders: false,
    // Node would answer by itself, without a call id and without a record; receive demands exactly one Host.
    requireHostHeader: false,
    // Nobody reads the body of a request that has none; its stream would end and close with events all the same.
    optimizeEmptyRequests: true,
    maxHeaderSize: config.headerLimitBytes,
    headersTimeout: Math.min(config.headersTimeoutMs, config.requestTimeoutMs),
    requestTimeout: config.requestTimeoutMs,
    keepAliveTimeout: config.keepAliveTimeoutMs,
    connectionsCheckingInterval: DEADLINE_CHECK_MS,
  }
  const server =
    config.tls === undefined
      ? createServer(common)
      : createTlsServer({ ...common, ...tlsServerOptions(config.tls, HANDSHAKE_TIMEOUT_MS) })
  server.maxConnections = config.maxConnections
  return server
}

interface Watchers extends Pick<ListenerOptions, 'events'> {
  readonly connections: Connections
  readonly onUnparsed: ReturnType<typeof createUnparsedHandler>
  readonly serve: ReturnType<typeof createCallGate>['serve']
}

function watch(server: Server, port: number, { connections, onUnparsed, serve, events }: Watchers): void {
  const onRequest = (request: IncomingMessage, response: ServerResponse): void =>
    serve(request, response, port)
  server.on('request', onRequest)
  // Both come here unanswered: read asks for the body when it wants it, receive refuses other expectations.
  server.on('checkContinue', onRequest)
  server.on('checkExpectation', onRequest)
  if (server instanceof TlsServer) {
    server.on('connection', (rawSocket: Socket) => connections.startHandshake(rawSocket))
    server.on('secureConnection', (socket: Socket) => connections.open(socket))
  } else server.on('connection', (socket: Socket) => connections.open(socket))
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => onUnparsed(error, socket))
  server.on('connect', (_request: IncomingMessage, socket: Socket) => onUnparsed(undefined, socket))
  server.on('tlsClientError', (error: Error, socket: Socket) =>
    events.handshakeFailed(error, socket.remoteAddress ?? ''),
  )
  server.on('drop', () => events.connectionDropped())
}

/** Settles with the port bound, which is another than `port` for 0. */
function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })
}
