/**
 * CPU that one proxied call costs the process, by way of speaking to the upstream. Processor time, not throughput:
 * it holds still on a shared machine. Loopback only; ends by itself.
 *
 *   node test/bench/forward.ts [calls] [reply bytes]
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { Pool, request } from 'undici'
import type { Dispatcher } from 'undici'
import { createEgress } from '../../gateway/egress/egress.ts'
import { createRelayPlanner } from '../../gateway/egress/relay-plan.ts'
import { sendStream, sendWhole } from '../../gateway/egress/send-body.ts'
import { systemClock } from '../../gateway/lib/clock.ts'
import { vendorConnector } from '../harness/upstream.ts'
import { countOf } from './measure.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const CONNECTIONS = 32
const HEADERS = ['accept', 'application/json', 'authorization', 'Bearer token', 'user-agent', 'bench']
const VARIANTS: Readonly<Record<string, (origin: string) => Handler>> = {
  'bare dispatch': bareDispatch,
  'undici.request, piped': piped,
  'forward and relay': forwardAndRelay,
}

/** The least a proxy can do with undici: no checks, no digest, no deadline of its own. */
function bareDispatch(origin: string): Handler {
  const pool = new Pool(origin, { connections: CONNECTIONS, allowH2: false })
  return ({ url = '/' }, response) => {
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, status, headers) => void response.writeHead(status, headers),
      onResponseData: (_controller, chunk) => void response.write(chunk),
      onResponseEnd: () => void response.end(),
      onResponseError: () => void response.destroy(),
    }
    pool.dispatch({ path: url, method: 'GET', headers: HEADERS }, handler)
  }
}

function piped(origin: string): Handler {
  const dispatcher = new Pool(origin, { connections: CONNECTIONS, allowH2: false })
  return ({ url = '/' }, response) => {
    const abort = new AbortController()
    response.on('close', () => response.writableFinished || abort.abort())
    const { signal } = abort
    void request(origin + url, { dispatcher, headers: HEADERS, signal, responseHeaders: 'raw' }).then(
      (reply) => {
        response.writeHead(reply.statusCode, reply.headers)
        return pipeline(reply.body, response).catch(() => undefined)
      },
    )
  }
}

function forwardAndRelay(origin: string): Handler {
  const connector = vendorConnector(origin)
  const egress = createEgress({
    connectors: [
      {
        name: 'vendor',
        allowAddresses: ['127.0.0.0/8'],
        caFile: undefined,
        connections: CONNECTIONS,
        connectTimeoutMs: 5_000,
        replyTimeoutMs: 30_000,
        idleTimeoutMs: 30_000,
      },
    ],
    clock: systemClock,
    events: { repeated: () => undefined, redirectFollowed: () => undefined },
  })
  const plan = createRelayPlanner(connector, 'http://gateway.test/vendor')
  return ({ url = '/' }, response) => {
    const abort = new AbortController()
    response.on('close', () => response.writableFinished || abort.abort())
    const upstreamRequest = { origin, method: 'GET', target: url, headers: HEADERS, body: undefined }
    const call = { connector, request: upstreamRequest, signal: abort.signal, repeatable: true }
    void egress.forward(call).then((verdict) => {
      const planned = verdict.ok ? plan(verdict.value, upstreamRequest) : undefined
      if (!verdict.ok || planned === undefined) return response.destroy()
      response.writeHead(verdict.value.status, planned.headers as string[])
      return planned.whole === undefined
        ? sendStream(verdict.value.body, response, {
            stallTimeoutMs: 60_000,
            maxBytes: Number.POSITIVE_INFINITY,
            signal: abort.signal,
            through: planned.through,
          })
        : sendWhole(response, planned.whole)
    })
  }
}

/** Serves until the parent is done, and tells it the processor time so far whenever asked. */
async function serve(handler: Handler): Promise<void> {
  const server: Server = createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  process.send?.((server.address() as AddressInfo).port)
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    process.send?.(user + system)
  })
}

async function start(role: string, ...rest: string[]): Promise<{ child: ChildProcess; origin: string }> {
  const child = fork(import.meta.filename, [role, ...rest])
  const [port] = (await once(child, 'message')) as [number]
  return { child, origin: `http://127.0.0.1:${port}` }
}

async function cpuMicroseconds(child: ChildProcess): Promise<number> {
  const answer = once(child, 'message')
  child.send('cpu')
  const [microseconds] = (await answer) as [number]
  return microseconds
}

async function load(origin: string, calls: number): Promise<void> {
  const client = new Pool(origin, { connections: CONNECTIONS, allowH2: false })
  let left = calls
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (left > 0) {
        left -= 1
        const reply = await client.request({ path: '/repos/zyx/x', method: 'GET' })
        await reply.body.dump()
      }
    }),
  )
  await client.close()
}

async function compare(calls: number, replyBytes: string): Promise<void> {
  const upstream = await start('upstream', replyBytes)
  const rows: Record<string, { 'CPU µs per call': number }> = {}
  for (const variant of Object.keys(VARIANTS)) {
    const proxy = await start('proxy', variant, upstream.origin)
    await load(proxy.origin, Math.ceil(calls / 4))
    const before = await cpuMicroseconds(proxy.child)
    await load(proxy.origin, calls)
    const used = (await cpuMicroseconds(proxy.child)) - before
    rows[variant] = { 'CPU µs per call': Math.round((used / calls) * 10) / 10 }
    proxy.child.kill()
  }
  upstream.child.kill()
  console.table(rows)
}

const [role = String(countOf(20_000)), argument = '600', origin = ''] = process.argv.slice(2)
if (role === 'upstream') {
  const body = Buffer.alloc(Number(argument), 'x')
  const headers = {
    'content-type': 'application/json',
    'content-length': body.length,
    etag: '"1"',
    'x-request-id': '1',
  }
  await serve((_request, response) => void response.writeHead(200, headers).end(body))
} else if (role === 'proxy') {
  const variant = VARIANTS[argument]
  if (variant === undefined) throw new TypeError(`no variant ${argument}`)
  await serve(variant(origin))
} else {
  await compare(Number(role), argument)
}
