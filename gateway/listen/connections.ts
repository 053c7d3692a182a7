import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Roster } from '../lib/roster.ts'

/** More calls than this on one connection keep a load balancer from spreading them. */
const MAX_CALLS = 100_000

/** The newest call of a connection: the only one whose body may still be on its way. */
export interface ConnectionCall {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly controller: AbortController
}

interface Connection {
  readonly socket: Socket
  readonly openedMs: number
  calls: number
  latest: ConnectionCall | undefined
  /** What came in last is no request: nothing more may be read. */
  broken: boolean
  /** The client was verified with what is no longer in force. */
  outdated: boolean
}

/** Knows every open connection, and decides which end with the reply they are at. */
export class Connections {
  readonly #maxAgeMs: number
  readonly #monotonicMs: () => number
  readonly #connections = new Roster<Connection>()
  readonly #bySocket = new WeakMap<Socket, Connection>()
  /** By the client's address and port, which the TLS socket of the finished handshake shares. */
  readonly #handshakes = new Map<string, Socket>()

  constructor(maxAgeMs: number, monotonicMs: () => number) {
    this.#maxAgeMs = maxAgeMs
    this.#monotonicMs = monotonicMs
  }

  /** A TCP connection on which a TLS handshake begins. */
  startHandshake(rawSocket: Socket): void {
    const key = clientOf(rawSocket)
    this.#handshakes.set(key, rawSocket)
    rawSocket.once('close', () => this.#handshakes.get(key) === rawSocket && this.#handshakes.delete(key))
  }

  open(socket: Socket): void {
    this.#handshakes.delete(clientOf(socket))
    this.#of(socket)
  }

  begin(socket: Socket, call: ConnectionCall): void {
    const connection = this.#of(socket)
    connection.calls += 1
    connection.latest = call
  }

  latest(socket: Socket): ConnectionCall | undefined {
    return this.#bySocket.get(socket)?.latest
  }

  isEnding(socket: Socket): boolean {
    const { openedMs, calls, broken, outdated } = this.#of(socket)
    return broken || outdated || calls >= MAX_CALLS || openedMs <= this.#monotonicMs() - this.#maxAgeMs
  }

  /** Nothing more may be read from the connection; `false` when that was so already. */
  break(socket: Socket): boolean {
    const connection = this.#of(socket)
    const first = !connection.broken
    connection.broken = true
    return first
  }

  /**
   * Ends every connection whose client was, or is just being, verified with what is now out of date: with the reply
   * it is at, or at once where there is none.
   */
  outdateAll(): void {
    for (const rawSocket of this.#handshakes.values()) rawSocket.destroy()
    for (const connection of this.#connections) {
      connection.outdated = true
      if (!isAnswering(connection)) connection.socket.destroy()
    }
  }

  /** Closes those that never sent anything, which Node counts as busy with their first request. */
  closeUnused(): void {
    for (const { socket, latest } of this.#connections) {
      if (latest === undefined && socket.bytesRead === 0) socket.destroy()
    }
  }

  #of(socket: Socket): Connection {
    const known = this.#bySocket.get(socket)
    if (known !== undefined) return known
    const connection: Connection = {
      socket,
      openedMs: this.#monotonicMs(),
      calls: 0,
      latest: undefined,
      broken: false,
      outdated: false,
    }
    // One that has closed, asked about for a reply that nobody waits for: no event would ever take it off the roster.
    if (socket.destroyed) return connection
    this.#bySocket.set(socket, connection)
    const entry = this.#connections.enter(connection)
    socket.once('close', () => {
      this.#connections.leave(entry)
      this.#bySocket.delete(socket)
    })
    return connection
  }
}

function isAnswering({ latest }: Connection): boolean {
  return latest !== undefined && !latest.response.writableFinished
}

function clientOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
