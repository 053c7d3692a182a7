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
  /** What came in last is no request: nothing more may be read. */
  broken: boolean
  /** The client was verified with what is no longer in force. */
  outdated: boolean
}

/** Knows every open connection, and decides which end with the reply they are at. */
export interface Connections {
  /** A TCP connection on which a TLS handshake begins. */
  startHandshake(rawSocket: Socket): void
  open(socket: Socket): void
  begin(socket: Socket, call: ConnectionCall): void
  latest(socket: Socket): ConnectionCall | undefined
  isEnding(socket: Socket): boolean
  /** Nothing more may be read from the connection; `false` when that was so already. */
  break(socket: Socket): boolean
  /**
   * Ends every connection whose client was, or is just being, verified with what is now out of date: with the reply
   * it is at, or at once where there is none.
   */
  outdateAll(): void
  /** Closes those that never sent anything, which Node counts as busy with their first request. */
  closeUnused(): void
}

export function createConnections(maxAgeMs: number, monotonicMs: () => number): Connections {
  const connections = new Map<Socket, Connection>()
  /** By the client's address and port, which the TLS socket of the finished handshake shares. */
  const handshakes = new Map<string, Socket>()

  const connectionOf = (socket: Socket): Connection => {
    let connection = connections.get(socket)
    if (connection === undefined) {
      connection = newConnection(monotonicMs())
      connections.set(socket, connection)
      socket.once('close', () => connections.delete(socket))
    }
    return connection
  }

  return {
    startHandshake: (rawSocket) => {
      const key = clientOf(rawSocket)
      handshakes.set(key, rawSocket)
      rawSocket.once('close', () => handshakes.get(key) === rawSocket && handshakes.delete(key))
    },
    open: (socket) => {
      handshakes.delete(clientOf(socket))
      connectionOf(socket)
    },
    begin: (socket, call) => {
      const connection = connectionOf(socket)
      connection.calls += 1
      connection.latest = call
    },
    latest: (socket) => connections.get(socket)?.latest,
    isEnding: (socket) => isEnding(connectionOf(socket), monotonicMs() - maxAgeMs),
    break: (socket) => {
      const connection = connectionOf(socket)
      const first = !connection.broken
      connection.broken = true
      return first
    },
    outdateAll: () => {
      for (const rawSocket of handshakes.values()) rawSocket.destroy()
      for (const [socket, connection] of connections) {
        connection.outdated = true
        if (!isAnswering(connection)) socket.destroy()
      }
    },
    closeUnused: () => {
      for (const [socket, { latest }] of connections) {
        if (latest === undefined && socket.bytesRead === 0) socket.destroy()
      }
    },
  }
}

function newConnection(openedMs: number): Connection {
  return { openedMs, calls: 0, latest: undefined, broken: false, outdated: false }
}

function isEnding({ openedMs, calls, broken, outdated }: Connection, oldestMs: number): boolean {
  return broken || outdated || calls >= MAX_CALLS || openedMs <= oldestMs
}

function isAnswering({ latest }: Connection): boolean {
  return latest !== undefined && !latest.response.writableFinished
}

function clientOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
