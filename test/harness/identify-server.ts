import { once } from 'node:events'
import { createServer, request as requestHttp } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createSecureServer, request as requestHttps } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { DpopConfig, IdentityConfig, IssuerConfig, TlsConfig } from '../../gateway/config/config.ts'
import type { Caller } from '../../gateway/caller.ts'
import type { Arrival, CallId } from '../../gateway/exchange.ts'
import type { FetchJson } from '../../gateway/identity/fetch-json.ts'
import { createIdentity } from '../../gateway/identity/identity.ts'
import type { Identity } from '../../gateway/identity/identity.ts'
import { systemClock } from '../../gateway/lib/clock.ts'
import type { Clock } from '../../gateway/lib/clock.ts'
import { REFUSALS } from '../../gateway/refusal.ts'
import type { RefusalCode } from '../../gateway/refusal.ts'
import { createIdentify } from '../../gateway/stages/identify.ts'
import { createReceive } from '../../gateway/stages/receive.ts'
import type { Certified, Pki } from './pki.ts'

export interface IdentifyServerOptions {
  readonly issuers: readonly IssuerConfig[]
  readonly identity?: Partial<Omit<IdentityConfig, 'issuers' | 'dpop'>>
  readonly dpop?: Partial<DpopConfig>
  /** Asks for client certificates of this authority, and accepts callers without one. */
  readonly pki?: Pki
  readonly externalOrigins?: readonly string[]
  readonly externalPathPrefix?: string
  readonly clock?: Clock
  readonly fetchJson?: FetchJson
  readonly nonceKey?: Uint8Array
}

export interface SendOptions {
  readonly method?: string
  readonly path?: string
  /** Flat name, value list, so that a name can be sent twice. */
  readonly headers?: readonly string[]
  readonly client?: Certified | undefined
}

/** What the stage said: the refusal that a caller would see, or who was recognised. */
export interface Answer {
  readonly status: number
  readonly code: RefusalCode | undefined
  /** For the log only; a real reply never has it. */
  readonly detail: string
  readonly challenges: readonly string[]
  readonly headers: IncomingHttpHeaders
  readonly caller: Caller | undefined
}

export interface IdentifyServer extends AsyncDisposable {
  readonly origin: string
  readonly identity: Identity
  /** Names of the events so far. */
  readonly events: readonly string[]
  readonly send: (options: SendOptions) => Promise<Answer>
}

/** More than identity takes, so that its own caps are what refuses. */
const MAX_HEADER_BYTES = 65_536
const DPOP: DpopConfig = {
  algorithms: ['ES256', 'EdDSA', 'PS256', 'RS256'],
  maxAgeMs: 60_000,
  maxSkewMs: 10_000,
  nonce: 'off',
  nonceSecret: undefined,
}

/** The first two stages behind a real server: receive and identify, and an answer that tells what they found. */
export async function startIdentifyServer(options: IdentifyServerOptions): Promise<IdentifyServer> {
  const { pki } = options
  const certificate = pki?.server()
  let listener: (request: IncomingMessage, response: ServerResponse) => void = () => undefined
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => listener(request, response)
  const server =
    certificate === undefined || pki === undefined
      ? createServer({ maxHeaderSize: MAX_HEADER_BYTES }, onRequest)
      : createSecureServer(
          {
            key: certificate.key,
            cert: certificate.cert,
            ca: pki.ca,
            requestCert: true,
            rejectUnauthorized: false,
            maxHeaderSize: MAX_HEADER_BYTES,
          },
          onRequest,
        )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const scheme = pki === undefined ? 'http' : 'https'
  const origin = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`
  const events: string[] = []
  const identity = createIdentity(
    {
      identity: {
        forwardedCertificate: undefined,
        resource: { documentation: undefined, scopesSupported: [] },
        dangerouslyAllowUnboundTokens: false,
        ...options.identity,
        issuers: options.issuers,
        dpop: { ...DPOP, ...options.dpop },
      },
      listen: {
        externalOrigins: options.externalOrigins ?? [origin],
        externalPathPrefix: options.externalPathPrefix ?? '',
        tls: certificate === undefined ? undefined : tlsConfig(certificate, pki?.caFile),
      },
    },
    {
      clock: options.clock ?? systemClock,
      origins: new Map([['prefix', options.externalOrigins ?? [origin]]]),
      events: {
        keysLoaded: ({ lost }) => void events.push(lost ? 'keysLoaded, one lost' : 'keysLoaded'),
        keysFailed: () => void events.push('keysFailed'),
        tokenLookedUp: () => undefined,
        unboundTokenAccepted: () => void events.push('unboundTokenAccepted'),
      },
      ...(options.fetchJson === undefined ? {} : { fetchJson: options.fetchJson }),
      nonceKey: options.nonceKey,
    },
  )
  const receive = createReceive()
  const identify = createIdentify(identity)
  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const received = receive(arrivalOf(request))
    const verdict = received.ok ? await identify(received.value) : received
    return verdict.ok ? accepted(verdict.value.caller) : refused(verdict.refusal)
  }
  listener = (request, response) => {
    void answer(request).then((found) => {
      // The stage's headers go over the wire as they are; the rest is told in the body.
      const flat = Object.entries(found.headers).flatMap(([name, value]) =>
        [value ?? []].flat().flatMap((one) => [name, one]),
      )
      response.writeHead(found.status, flat)
      response.end(JSON.stringify(found))
    })
  }

  return {
    origin,
    identity,
    events,
    send: (sent) => send(origin, pki, sent),
    [Symbol.asyncDispose]: async () => {
      identity[Symbol.dispose]()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function send(origin: string, pki: Pki | undefined, options: SendOptions): Promise<Answer> {
  const { method = 'GET', path = '/', headers = [], client } = options
  const common = { method, path, agent: false, headers: ['Host', new URL(origin).host, ...headers] }
  const outgoing =
    pki === undefined
      ? requestHttp(origin, common)
      : requestHttps(origin, { ...common, ca: pki.ca, cert: client?.cert, key: client?.key })
  outgoing.end()
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  const text = (await response.setEncoding('utf8').toArray()).join('')
  const found = JSON.parse(text) as Answer
  return {
    ...found,
    headers: response.headers,
    challenges: response.headersDistinct['www-authenticate'] ?? [],
  }
}

function arrivalOf(request: IncomingMessage): Arrival {
  return {
    callId: '01890a5d-ac96-774b-bcce-b302099a8057' as CallId,
    receivedAtMs: Date.now(),
    startedMs: performance.now(),
    request,
    addressed: undefined,
    signal: new AbortController().signal,
    abort: () => undefined,
  }
}

function accepted(caller: Caller): Answer {
  return { status: 200, code: undefined, detail: '', challenges: [], headers: {}, caller }
}

function refused({
  code,
  detail = '',
  headers = [],
}: {
  code: RefusalCode
  detail?: string
  headers?: readonly string[]
}): Answer {
  const sent: Record<string, string[]> = {}
  for (let index = 0; index + 1 < headers.length; index += 2) {
    ;(sent[headers[index] as string] ??= []).push(headers[index + 1] as string)
  }
  const status = REFUSALS[code].status
  return { status, code, detail, challenges: [], headers: sent, caller: undefined }
}

function tlsConfig({ certFile, keyFile }: Certified, clientCaFile: string | undefined): TlsConfig {
  return {
    certificateFile: certFile,
    keyFile,
    clientCaFile,
    crlFile: undefined,
    clientCertificate: 'request',
  }
}
