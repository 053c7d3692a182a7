import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** More calls than this on one connection keep a load balancer from spreading them. */
const MAX_CALLS = 100_000

/** The newest call of a connection: the only one whose body may still be on its way. */
export interface ConnectionCall {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly controller: AbortController
}

interface Connection {
  readonly openedMs: number
  calls: number
  latest: ConnectionCall | undefined
  /** Set once nothing more may be read from it. */
  ending: boolean
}

export interface ConnectionsOptions {
  readonly maxAgeMs: number
  readonly handshakeTimeoutMs: number
  readonly monotonicMs: () => number
}

/** Decides which connections end with the reply they are at. */
export interface Connections {
  open(socket: Socket): void
  begin(socket: Socket, call: ConnectionCall): void
  latest(socket: Socket): ConnectionCall | undefined
  isEnding(socket: Socket): boolean
  /** The connection ends; `false` when it was ending already. */
  end(socket: Socket): boolean
  /** Ends every connection whose client was verified with what is now out of date. */
  outdateAll(): void
}

export function createConnections({
  maxAgeMs,
  handshakeTimeoutMs,
  monotonicMs,
}: ConnectionsOptions): Connections {
  const connections = new WeakMap<Socket, Connection>()
  let outdatedMs = -Infinity

  const connectionOf = (socket: Socket): Connection => {
    let connection = connections.get(socket)
    if (connection === undefined) {
      connection = { openedMs: monotonicMs(), calls: 0, latest: undefined, ending: false }
      connections.set(socket, connection)
    }
    return connection
  }

  return {
    open: connectionOf,
    begin: (socket, call) => {
      const connection = connectionOf(socket)
      connection.calls += 1
      connection.latest = call
    },
    latest: (socket) => connections.get(socket)?.latest,
    isEnding: (socket) => {
      const { openedMs, calls, ending } = connectionOf(socket)
      // A handshake under way at the change may have used what it replaced, so it counts as one before it.
      const outdated = openedMs < outdatedMs + handshakeTimeoutMs
      return ending || outdated || calls >= MAX_CALLS || monotonicMs() - openedMs >= maxAgeMs
    },
    end: (socket) => {
      const connection = connectionOf(socket)
      const first = !connection.ending
      connection.ending = true
      return first
    },
    outdateAll: () => {
      outdatedMs = monotonicMs()
    },
  }
}
