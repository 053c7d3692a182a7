import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Arrival, CallId } from '../exchange.ts'
import { GatewayFault } from '../fault.ts'
import type { RefusalCode } from '../refusal.ts'
import type { Connections } from './connections.ts'
import { createReply } from './create-reply.ts'
import type { ListenerOptions, WellKnownReply } from './listener-options.ts'

/** What an overloaded gateway asks for: long enough to matter, short enough not to leave it idle. */
const OVERLOAD_RETRY_MS = 1000
const WELL_KNOWN = '/.well-known/'

export interface CallGateOptions extends ListenerOptions {
  readonly connections: Connections
  readonly nextCallId: () => CallId
  readonly isDraining: () => boolean
}

/** Turns requests into calls, and knows every call that has not ended. */
export interface CallGate {
  readonly size: number
  readonly serve: (request: IncomingMessage, response: ServerResponse, port: number) => void
  /** Ends every call in flight with `code`; those whose reply has begun are cut. */
  abortAll(code: RefusalCode): void
  /** Settles when no call is in flight. */
  idle(): Promise<void>
}

export function createCallGate(options: CallGateOptions): CallGate {
  const { config, clock, connections, events } = options
  const inFlight = new Set<AbortController>()
  const waiting: (() => void)[] = []

  const leave = (controller: AbortController, response: ServerResponse): void => {
    inFlight.delete(controller)
    // A call always ends with a reply; should one ever not, its client is not left to wait.
    if (!response.headersSent) response.destroy()
    if (inFlight.size === 0) for (const resolve of waiting.splice(0)) resolve()
  }

  const serve = (request: IncomingMessage, response: ServerResponse, port: number): void => {
    const { socket } = request
    const callId = options.nextCallId()
    const closing = (): boolean => options.isDraining() || connections.isEnding(socket)
    const path = pathOf(request.url ?? '')
    if (path.startsWith(WELL_KNOWN) && (request.method === 'GET' || request.method === 'HEAD')) {
      const document = options.wellKnown(path)
      if (document !== undefined) return sendDocument(response, document, callId, closing())
    }
    const controller = new AbortController()
    const arrival: Arrival = {
      callId,
      receivedAtMs: clock.nowMs(),
      startedMs: clock.monotonicMs(),
      request,
      addressed: options.address(request.headers.host, port, path),
      signal: controller.signal,
    }
    const dialect = arrival.addressed?.connector.dialect ?? 'problem'
    const { rateLimitHeaders } = options
    const nowMs = (): number => clock.nowMs()
    const reply = createReply({ request, response, dialect, callId, closing, rateLimitHeaders, nowMs })
    if (inFlight.size >= config.maxCallsInFlight) {
      const refusal = { code: 'gateway.overloaded', retryAfterMs: OVERLOAD_RETRY_MS } as const
      events.turnedAway(arrival, reply.refuse(refusal, { arrival }))
      return
    }
    inFlight.add(controller)
    connections.begin(socket, { request, response, controller })
    response.on('error', events.faulted)
    response.once('close', () => {
      if (!response.writableFinished) controller.abort(new Error('the client went away'))
    })
    options.onCall(arrival, reply).then(
      () => leave(controller, response),
      (cause: unknown) => {
        events.faulted(cause)
        leave(controller, response)
      },
    )
  }

  return {
    get size() {
      return inFlight.size
    },
    serve,
    abortAll: (code) => {
      for (const controller of inFlight)
        controller.abort(new GatewayFault(code, 'the gateway ended the call'))
    },
    idle: () =>
      inFlight.size === 0 ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve)),
  }
}

function pathOf(target: string): string {
  const mark = target.indexOf('?')
  return mark === -1 ? target : target.slice(0, mark)
}

function sendDocument(
  response: ServerResponse,
  { status, headers, body }: WellKnownReply,
  callId: CallId,
  closes: boolean,
): void {
  const list = [...headers, 'Content-Length', String(body.length), 'Toolgate-Call-Id', callId]
  if (closes) list.push('Connection', 'close')
  response.writeHead(status, list)
  response.end(body)
}
