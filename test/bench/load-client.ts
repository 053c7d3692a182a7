/**
 * The agents of `gateway.ts`, as a process of their own: signs every proof before the clock starts, then calls over
 * connections that stay open. Speaks HTTP/1.1 by hand, because a client library would cost as much as what is measured.
 */
import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import { createPrivateKey } from 'node:crypto'
import type { JsonWebKey } from 'node:crypto'
import { signProof } from '../harness/proof.ts'
import type { ProofKey } from '../harness/proof.ts'
import { quantile } from './measure.ts'

/** Whom to call, and with what. */
export interface LoadPlan {
  readonly port: number
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string } | undefined
  readonly connections: number
  readonly method: string
  /** Every `{n}` is replaced by the number of the call. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Absent for calls that carry no proof. Taken in turn. */
  readonly agents: readonly { readonly token: string; readonly key: SerializedKey }[]
}

export type SerializedKey = Pick<ProofKey, 'algorithm' | 'jkt'> & {
  readonly publicJwk: JsonWebKey
  readonly privateJwk: JsonWebKey
}

export interface LoadRun {
  readonly calls: number
  /** Calls begun a second, whether or not earlier ones have ended; `undefined` for as many as the connections carry. */
  readonly perSecond: number | undefined
}

export interface LoadResult {
  readonly elapsedMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Replies by status. */
  readonly statuses: Readonly<Record<string, number>>
}

const HOST = '127.0.0.1'

interface Connection {
  /** Sends one request and resolves with the status once the whole reply is here. */
  send(request: Buffer): Promise<string>
}

async function connect(plan: LoadPlan): Promise<Connection> {
  const { port, tls } = plan
  const socket: Socket =
    tls === undefined ? connectTcp({ host: HOST, port }) : connectTls({ host: HOST, port, ...tls })
  await once(socket, tls === undefined ? 'connect' : 'secureConnect')
  socket.setNoDelay(true)
  let held: Buffer = Buffer.alloc(0)
  let settle: { resolve(status: string): void; reject(cause: Error): void } | undefined
  socket.on('data', (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    const status = statusOfWhole(held)
    if (status === undefined) return
    held = Buffer.alloc(0)
    settle?.resolve(status)
  })
  socket.on('error', (cause) => settle?.reject(cause))
  socket.on('close', () => settle?.reject(new Error('the connection was closed')))
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject }
        if (socket.destroyed) reject(new Error('the connection was closed'))
        else socket.write(request)
      }),
  }
}

/** Status of a reply that is here with all its bytes; only replies with a length are understood. */
function statusOfWhole(bytes: Buffer): string | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const head = bytes.toString('latin1', 0, end)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length === undefined) throw new Error(`a reply without a length:\n${head}`)
  return bytes.length >= end + 4 + Number(length) ? head.slice(9, 12) : undefined
}

let made = 0

function makeRequests(plan: LoadPlan, calls: number): Buffer[] {
  const { port, tls, method, headers, body, agents } = plan
  const origin = `${tls === undefined ? 'http' : 'https'}://${HOST}:${String(port)}`
  const keys = agents.map(({ key }) => ({
    ...key,
    privateKey: createPrivateKey({ key: key.privateJwk, format: 'jwk' }),
  }))
  return Array.from({ length: calls }, () => {
    const target = plan.target.replace('{n}', String(++made))
    const agent = agents[made % agents.length]
    const key = keys[made % agents.length]
    const lines = [`${method} ${target} HTTP/1.1`, `Host: ${HOST}:${String(port)}`]
    for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
    if (agent !== undefined && key !== undefined) {
      const proof = signProof({ key, method, url: origin + target, token: agent.token })
      lines.push(`Authorization: DPoP ${agent.token}`, `DPoP: ${proof}`)
    }
    if (body !== '') lines.push('Content-Type: application/json', `Content-Length: ${String(body.length)}`)
    return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`)
  })
}

async function call(
  connections: readonly Connection[],
  requests: readonly Buffer[],
  perSecond: number | undefined,
): Promise<LoadResult> {
  const latenciesMs: number[] = []
  const statuses: Record<string, number> = {}
  const startedMs = performance.now()
  let next = 0
  const sendOne = async (connection: Connection, dueMs: number): Promise<void> => {
    const status = await connection.send(requests[next++] as Buffer)
    latenciesMs.push(performance.now() - dueMs)
    statuses[status] = (statuses[status] ?? 0) + 1
  }
  if (perSecond === undefined) {
    await Promise.all(
      connections.map(async (connection) => {
        while (next < requests.length) await sendOne(connection, performance.now())
      }),
    )
  } else await paced(connections, requests.length, perSecond, sendOne)
  const elapsedMs = performance.now() - startedMs
  return { elapsedMs, p50Ms: quantile(latenciesMs, 0.5), p99Ms: quantile(latenciesMs, 0.99), statuses }
}

/** Begins calls by the clock. One that finds no free connection waits, and its wait counts as latency. */
async function paced(
  connections: readonly Connection[],
  calls: number,
  perSecond: number,
  send: (connection: Connection, dueMs: number) => Promise<void>,
): Promise<void> {
  const free = [...connections]
  const waitingSinceMs: number[] = []
  const { promise, resolve, reject } = Promise.withResolvers<undefined>()
  const startedMs = performance.now()
  let due = 0
  let ended = 0
  const begin = (): void => {
    while (free.length > 0 && waitingSinceMs.length > 0) {
      // In turn, so that none is idle for so long that the server closes it.
      const connection = free.shift() as Connection
      send(connection, waitingSinceMs.shift() as number).then(() => {
        free.push(connection)
        ended += 1
        if (ended === calls) resolve(undefined)
        begin()
      }, reject)
    }
  }
  const timer = setInterval(() => {
    const nowMs = performance.now()
    for (; due < calls && due < ((nowMs - startedMs) * perSecond) / 1_000; due++) waitingSinceMs.push(nowMs)
    if (due === calls) clearInterval(timer)
    begin()
  }, 1)
  await promise
}

process.on('disconnect', () => process.exit())
const [plan] = (await once(process, 'message')) as [LoadPlan]
const connections = await Promise.all(Array.from({ length: plan.connections }, () => connect(plan)))
process.send?.('connected')
for (;;) {
  const [{ calls, perSecond }] = (await once(process, 'message')) as [LoadRun]
  const requests = makeRequests(plan, calls)
  process.send?.('signed')
  await once(process, 'message')
  process.send?.(await call(connections, requests, perSecond))
}
