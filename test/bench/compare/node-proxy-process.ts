/**
 * A proxy on node:http, as one process, in the ways that people build one.
 *
 *   node test/bench/compare/node-proxy-process.ts KIND UPSTREAM_PORT [OPA_PORT JWKS_URI ISSUER]
 */
import { createServer } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import { Agent, createServer as createUpstream } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import replyFrom from '@fastify/reply-from'
import Fastify from 'fastify'
import httpProxy from 'http-proxy'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { Pool } from 'undici'
import type { Dispatcher } from 'undici'

const CONNECTIONS = 128
/** Longer than any pause of the load. */
const KEEP_ALIVE = { keepAliveTimeout: 60_000 }

/** No checks, no deadline, no header rules: one request in, one out. */
function dispatchTo(origin: string): RequestListener {
  const pool = new Pool(origin, { connections: CONNECTIONS, allowH2: false })
  return (request, response) => {
    const { url: path = '/', method = 'GET', rawHeaders: headers } = request
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, status, replyHeaders) => void response.writeHead(status, replyHeaders),
      onResponseData: (_controller, chunk) => void response.write(chunk),
      onResponseEnd: () => void response.end(),
      onResponseError: () => void response.destroy(),
    }
    pool.dispatch({ path, method, headers, body: method === 'GET' ? null : request }, handler)
  }
}

async function replyFromTo(origin: string): Promise<Server> {
  const fastify = Fastify({ logger: false, ...KEEP_ALIVE })
  await fastify.register(replyFrom, { base: origin, undici: { connections: CONNECTIONS, pipelining: 1 } })
  fastify.all('/*', (_request, reply) => reply.from())
  await fastify.ready()
  return fastify.server
}

function httpProxyTo(origin: string): RequestListener {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const proxy = httpProxy.createProxyServer({ target: origin, agent })
  return (request, response) => proxy.web(request, response, undefined, () => response.destroy())
}

interface OpaOptions {
  readonly opaPort: string
  readonly jwksUri: string
  readonly issuer: string
}

/** What is built first when a proxy has to decide: a token verified by a library, and a question to `opa run`. */
function askingOpa(origin: string, { opaPort, jwksUri, issuer }: OpaOptions): RequestListener {
  const keys = createRemoteJWKSet(new URL(jwksUri))
  const opa = new Pool(`http://127.0.0.1:${opaPort}`, { connections: CONNECTIONS, allowH2: false })
  const forward = dispatchTo(origin)
  const authorize = async (authorization: string, method: string, path: string): Promise<boolean> => {
    const token = authorization.replace(/^Bearer /, '')
    const { payload } = await jwtVerify(token, keys, { issuer, audience: 'https://gateway.test' })
    const input = { method, path: path.slice(1).split('/'), claims: payload }
    const { statusCode, body } = await opa.request({
      path: '/v1/data/bench/proxy/allow',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ input }),
    })
    const answer = (await body.json()) as { readonly result?: unknown }
    return statusCode === 200 && answer.result === true
  }
  return (request, response) => {
    authorize(request.headers.authorization ?? '', request.method ?? '', request.url ?? '').then(
      (isAllowed) => (isAllowed ? forward(request, response) : void response.writeHead(403).end()),
      () => void response.writeHead(401).end(),
    )
  }
}

/** Where there is no nginx. */
function upstream(): Server {
  const reply = Buffer.from(JSON.stringify({ number: 991, title: 'x'.repeat(570) }))
  return createUpstream(KEEP_ALIVE, (request, response) => {
    request.resume()
    response.writeHead(200, ['Content-Type', 'application/json', 'Content-Length', String(reply.length)])
    response.end(reply)
  })
}

process.on('disconnect', () => process.exit())
const [kind, upstreamPort = '', opaPort = '', jwksUri = '', issuer = ''] = process.argv.slice(2)
const origin = `http://127.0.0.1:${upstreamPort}`
const serve: Readonly<Record<string, () => Server | Promise<Server>>> = {
  upstream,
  undici: () => createServer(KEEP_ALIVE, dispatchTo(origin)),
  'reply-from': () => replyFromTo(origin),
  'http-proxy': () => createServer(KEEP_ALIVE, httpProxyTo(origin)),
  'opa-rest': () => createServer(KEEP_ALIVE, askingOpa(origin, { opaPort, jwksUri, issuer })),
}
const server = await serve[kind ?? '']?.()
if (server === undefined) throw new TypeError(`no proxy "${String(kind)}"`)
server.listen(0, '127.0.0.1')
await once(server, 'listening')
process.send?.((server.address() as AddressInfo).port)
