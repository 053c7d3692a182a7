import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { LoadPlan } from './plan.ts'

const HOST = '127.0.0.1'

/** What a connection tells, once for each request that was sent on it. */
export interface ConnectionEvents {
  replied(connection: Connection, status: string): void
  failed(cause: Error): void
}

/**
 * One connection that stays open, HTTP/1.1 spoken by hand: a client library would cost as much as what is measured.
 * Understands replies with a length, and with chunks where the last one ends a packet.
 */
export class Connection {
  readonly #plan: LoadPlan
  readonly #events: ConnectionEvents
  #socket: Socket
  /** When the call that is on it was meant to begin. */
  dueMs = 0
  #isBusy = false
  #status = ''
  /** Bytes of the reply that are still to come; `undefined` before its head is here. */
  #left: number | undefined
  #isChunked = false
  #head: Buffer | undefined

  private constructor(plan: LoadPlan, events: ConnectionEvents, socket: Socket) {
    this.#plan = plan
    this.#events = events
    this.#socket = this.#listenTo(socket)
  }

  static async open(plan: LoadPlan, events: ConnectionEvents): Promise<Connection> {
    return new Connection(plan, events, await openSocket(plan))
  }

  send(request: Buffer, dueMs: number): void {
    this.dueMs = dueMs
    this.#isBusy = true
    this.#socket.write(request)
  }

  close(): void {
    this.#isBusy = true
    this.#socket.removeAllListeners('close').destroy()
  }

  #listenTo(socket: Socket): Socket {
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('error', (cause) => this.#events.failed(cause))
    socket.on('close', () => {
      // A server may close one that rests; one with a call on it may not be closed.
      if (this.#isBusy) return this.#events.failed(new Error('the connection was closed during a call'))
      openSocket(this.#plan).then(
        (fresh) => (this.#socket = this.#listenTo(fresh)),
        (cause: unknown) => this.#events.failed(new Error('could not connect again', { cause })),
      )
    })
    return socket
  }

  #read(chunk: Buffer): void {
    if (this.#left !== undefined) return this.#take(chunk, chunk.length)
    const bytes = this.#head === undefined ? chunk : Buffer.concat([this.#head, chunk])
    const end = bytes.indexOf('\r\n\r\n')
    if (end === -1) return void (this.#head = bytes)
    this.#head = undefined
    const head = bytes.toString('latin1', 0, end)
    this.#status = head.slice(9, 12)
    const length = /\ncontent-length: *(\d+)/i.exec(head)?.[1]
    this.#isChunked = length === undefined
    if (this.#isChunked && !/\ntransfer-encoding: *chunked/i.test(head)) {
      return this.#events.failed(new Error(`a reply without a length:\n${head}`))
    }
    this.#left = length === undefined ? Number.POSITIVE_INFINITY : Number(length)
    this.#take(bytes, bytes.length - end - 4)
  }

  #take(chunk: Buffer, size: number): void {
    this.#left = (this.#left ?? 0) - size
    const isOver = this.#isChunked ? chunk.subarray(-5).toString('latin1') === '0\r\n\r\n' : this.#left <= 0
    if (!isOver) return
    this.#left = undefined
    this.#isBusy = false
    this.#events.replied(this, this.#status)
  }
}

async function openSocket({ port, tls }: Pick<LoadPlan, 'port' | 'tls'>): Promise<Socket> {
  const socket =
    tls === undefined ? connectTcp({ host: HOST, port }) : connectTls({ host: HOST, port, ...tls })
  await once(socket, tls === undefined ? 'connect' : 'secureConnect')
  return socket.setNoDelay(true)
}

/** Connects so many times and says nothing; a few at a time, as a server's queue of new connections is short. */
export async function openIdle(plan: LoadPlan): Promise<readonly Socket[]> {
  const sockets: Socket[] = []
  let left = plan.idleConnections
  const oneAfterAnother = async (): Promise<void> => {
    while (left-- > 0) sockets.push(await openSocket(plan))
  }
  await Promise.all(Array.from({ length: 32 }, oneAfterAnother))
  return sockets
}
