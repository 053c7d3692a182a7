/**
 * The neighbours of the gateway in `gateway.ts`, each a process of its own: a lean upstream, and the least that a proxy
 * can do with node:http and undici, which is what the gateway's figures are held against.
 *
 *   node test/bench/reference.ts upstream
 *   node test/bench/reference.ts proxy UPSTREAM_PORT [CERTIFICATE_FILE KEY_FILE CLIENT_CA_FILE]
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'
import type { Dispatcher } from 'undici'

/** Longer than any pause of the load. */
const KEEP_ALIVE = { keepAliveTimeout: 60_000 }
const REPLY = Buffer.from(JSON.stringify({ number: 991, title: 'x'.repeat(570) }))

/** Reads what comes and answers with some 600 bytes of JSON. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  request.resume()
  response.writeHead(200, ['Content-Type', 'application/json', 'Content-Length', String(REPLY.length)])
  response.end(REPLY)
}

/** No checks, no deadline, no header rules: one request in, one out. */
function bareProxyTo(origin: string): RequestListener {
  const pool = new Pool(origin, { connections: 128, allowH2: false })
  return ({ url: path = '/', method = 'GET', rawHeaders }, response) => {
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, status, headers) => void response.writeHead(status, headers),
      onResponseData: (_controller, chunk) => void response.write(chunk),
      onResponseEnd: () => void response.end(),
      onResponseError: () => void response.destroy(),
    }
    pool.dispatch({ path, method, headers: rawHeaders }, handler)
  }
}

async function serve(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  process.send?.((server.address() as AddressInfo).port)
}

process.on('disconnect', () => process.exit())
const [role, upstreamPort = '', certificateFile = '', keyFile = '', clientCaFile = ''] = process.argv.slice(2)
if (role === 'upstream') {
  await serve(createServer(KEEP_ALIVE, answer))
} else {
  const listener = bareProxyTo(`http://127.0.0.1:${upstreamPort}`)
  const tls = (): object => ({
    ...KEEP_ALIVE,
    cert: readFileSync(certificateFile),
    key: readFileSync(keyFile),
    ca: readFileSync(clientCaFile),
    requestCert: true,
  })
  await serve(certificateFile === '' ? createServer(KEEP_ALIVE, listener) : createTlsServer(tls(), listener))
}
