import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { BundleServiceConfig } from '../../gateway/config/policy-config.ts'
import type { Pki } from './pki.ts'

export interface BundleRequest {
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly atMs: number
}

export interface BundleServer extends AsyncDisposable {
  readonly url: string
  readonly requests: readonly BundleRequest[]
  /** What is asked for from now on; requests that wait for another version are answered with it. */
  publish(bundle: Buffer): void
  /** Answers in place of the server's own until told otherwise. */
  answerWith(listener: RequestListener | undefined): void
  /** Resolves once `count` requests have come in all. */
  received(count: number): Promise<void>
}

export interface BundleServerOptions {
  /** Holds a request with `Prefer: wait` until there is another version, and says so by its content type. */
  readonly longPoll?: boolean
  /** TLS with a certificate of this authority, which clients have to have one of as well. */
  readonly pki?: Pki
}

/** A bundle service on loopback as OPA's control planes speak it: ETag, 304, and long polling where asked for. */
export async function startBundleServer(
  bundle: Buffer,
  { longPoll = false, pki }: BundleServerOptions = {},
): Promise<BundleServer> {
  let current = bundle
  let version = 1
  let special: RequestListener | undefined
  const requests: BundleRequest[] = []
  const waiting = new Set<() => void>()
  const watchers = new Set<() => void>()

  const send = (response: ServerResponse): void => {
    const type = longPoll ? 'application/vnd.openpolicyagent.bundles' : 'application/gzip'
    response.writeHead(200, { etag: `"v${version}"`, 'content-type': type }).end(current)
  }
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    requests.push({ url: request.url ?? '', headers: request.headers, atMs: performance.now() })
    for (const watcher of watchers) watcher()
    if (special !== undefined) return special(request, response)
    if (request.headers['if-none-match'] !== `"v${version}"`) return send(response)
    const wait = /wait=(\d+)/.exec(String(request.headers['prefer']))?.[1]
    if (!longPoll || wait === undefined) return void response.writeHead(304).end()
    const answer = (): void => {
      waiting.delete(answer)
      clearTimeout(timer)
      if (request.headers['if-none-match'] === `"v${version}"`) response.writeHead(304).end()
      else send(response)
    }
    const timer = setTimeout(answer, Number(wait) * 1000)
    waiting.add(answer)
    response.on('close', () => (clearTimeout(timer), waiting.delete(answer)))
  }
  const server = pki === undefined ? createHttpServer(listener) : createHttpsServer(tlsOf(pki), listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `${pki === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    publish(next) {
      current = next
      version += 1
      for (const answer of waiting) answer()
    },
    answerWith: (next) => {
      special = next
    },
    received: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (requests.length < count) return
          watchers.delete(look)
          resolve()
        }
        watchers.add(look)
        look()
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function tlsOf(pki: Pki) {
  const { cert, key } = pki.server()
  return { cert, key, ca: pki.ca, requestCert: true, rejectUnauthorized: true }
}

/** As toolgate.yaml would describe the service, with short waits. */
export function serviceConfig(
  url: string,
  directory: string,
  more: Partial<BundleServiceConfig> = {},
): BundleServiceConfig {
  return {
    url,
    resource: 'bundles/toolgate',
    pollMinMs: 20,
    pollMaxMs: 40,
    longPollMs: undefined,
    timeoutMs: 5000,
    token: undefined,
    clientCertificateFile: undefined,
    clientKeyFile: undefined,
    caFile: undefined,
    maxBytes: 1 << 25,
    directory,
    ...more,
  }
}
