import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Arrival, CallId } from '../exchange.ts'
import { GatewayFault } from '../fault.ts'
import { type Entry, Roster } from '../lib/roster.ts'
import type { RefusalCode } from '../refusal.ts'
import type { ConnectionCall, Connections } from './connections.ts'
import { createReply } from './create-reply.ts'
import { isBodyComing } from './linger.ts'
import type { ListenerOptions } from './listener-options.ts'
import type { Reply } from './reply.ts'

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

/** One call as the gate holds it. */
interface OpenCall extends ConnectionCall {
  readonly arrival: Arrival
  readonly reply: Reply
}

export function createCallGate(options: CallGateOptions): CallGate {
  const { config, connections, events } = options
  const inFlight = new Roster<OpenCall>()
  const waiting: (() => void)[] = []

  const leave = (entry: Entry<OpenCall>): void => {
    inFlight.leave(entry)
    const { response } = entry.member
    // A call always ends with a reply; should one ever not, its client is not left to wait.
    if (!response.headersSent) response.destroy()
    if (inFlight.size === 0) for (const resolve of waiting.splice(0)) resolve()
  }

  const run = (call: OpenCall): void => {
    const entry = inFlight.enter(call)
    options.onCall(call.arrival, call.reply).then(
      () => leave(entry),
      (cause: unknown) => {
        events.faulted(cause)
        leave(entry)
      },
    )
  }

  return {
    get size() {
      return inFlight.size
    },
    serve: (request, response, port) => {
      const callId = options.nextCallId()
      if (serveDocument(options, request, response, callId)) return
      const call = openCall(options, request, response, port, callId)
      connections.begin(request.socket, call)
      if (inFlight.size < config.maxCallsInFlight) return run(call)
      const refusal = { code: 'gateway.overloaded', retryAfterMs: OVERLOAD_RETRY_MS } as const
      events.turnedAway(call.arrival, call.reply.refuse(refusal, { arrival: call.arrival }))
    },
    abortAll: (code) => {
      const reason = new GatewayFault(code, 'the gateway ended the call')
      for (const { controller } of inFlight) controller.abort(reason)
    },
    idle: () =>
      inFlight.size === 0 ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve)),
  }
}

function openCall(
  options: CallGateOptions,
  request: IncomingMessage,
  response: ServerResponse,
  port: number,
  callId: CallId,
): OpenCall {
  const { clock, rateLimitHeaders } = options
  const controller = new AbortController()
  response.on('error', options.events.faulted)
  response.once('close', () => {
    if (!response.writableFinished) controller.abort(new Error('the client went away'))
  })
  const arrival: Arrival = {
    callId,
    receivedAtMs: clock.nowMs(),
    startedMs: clock.monotonicMs(),
    request,
    addressed: options.address(request.headers.host, port, pathOf(request)),
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
  }
  const dialect = arrival.addressed?.connector.dialect ?? 'problem'
  const closing = (): boolean => isClosing(options, request)
  const nowMs = (): number => clock.nowMs()
  const reply = createReply({ request, response, dialect, callId, closing, rateLimitHeaders, nowMs })
  return { request, response, controller, arrival, reply }
}

function isClosing({ isDraining, connections }: CallGateOptions, { socket }: IncomingMessage): boolean {
  return isDraining() || connections.isEnding(socket)
}

function pathOf({ url: target = '' }: IncomingMessage): string {
  const mark = target.indexOf('?')
  return mark === -1 ? target : target.slice(0, mark)
}

/** Answers a request for a public document, which is no call; whether it was one. */
function serveDocument(
  options: CallGateOptions,
  request: IncomingMessage,
  response: ServerResponse,
  callId: CallId,
): boolean {
  const path = pathOf(request)
  if (!path.startsWith(WELL_KNOWN) || (request.method !== 'GET' && request.method !== 'HEAD')) return false
  const document = options.wellKnown(path, request.headers.host)
  if (document === undefined) return false
  const { status, headers, body } = document
  const list = [...headers, 'Content-Length', String(body.length), 'Toolgate-Call-Id', callId]
  if (isBodyComing(request) || isClosing(options, request)) list.push('Connection', 'close')
  response.writeHead(status, list)
  response.end(body)
  return true
}
