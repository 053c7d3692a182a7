import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isLoopback } from '../config/loopback.ts'
import { problem, send, type Answer } from './answer.ts'
import { createAuthenticate, type Authenticate } from './authenticate.ts'
import { readRequest } from './request.ts'
import { answerActor, answerChannel, answerProbe, type AdminSources } from './resources.ts'
import { crossSite, isOwnAuthority, ownOrigins } from './same-site.ts'

export type { AdminSources, Readiness } from './resources.ts'

export interface AdminOptions {
  readonly host: string
  readonly port: number
  /** Bearer token of operators, for everything but health; required off loopback, where the config check demands it. */
  readonly token: string | undefined
}

export interface Admin extends AsyncDisposable {
  readonly port: number
}

/** Holds an access token and a proof of the greatest sizes that are read. */
const HEADER_LIMIT_BYTES = 32_768
const REQUEST_TIMEOUT_MS = 10_000
const MAX_CONNECTIONS = 256

/** The listener for operators, people and channels: health, metrics, state, control. Never on the path of a call. */
export async function startAdmin(options: AdminOptions, sources: AdminSources): Promise<Admin> {
  const server = createServer({ maxHeaderSize: HEADER_LIMIT_BYTES, requestTimeout: REQUEST_TIMEOUT_MS })
  server.maxConnections = MAX_CONNECTIONS
  server.listen(options.port, options.host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const entrance: Entrance = {
    origins: ownOrigins({ host: options.host, externalOrigins: [] }, 'http', port),
    isOpenHere: options.token === undefined && isLoopback(options.host),
    authenticate: createAuthenticate(options),
  }
  server.on('request', (incoming, response) => {
    void answer(incoming, entrance, sources)
      .catch((): Answer => problem(500, 'The admin listener failed'))
      .then((given) => send(response, given, false))
  })
  return { port, [Symbol.asyncDispose]: () => close(server) }
}

interface Entrance {
  readonly origins: readonly string[]
  /** Whoever is on this machine needs no credentials. */
  readonly isOpenHere: boolean
  readonly authenticate: Authenticate
}

async function answer(
  incoming: IncomingMessage,
  { origins, isOpenHere, authenticate }: Entrance,
  sources: AdminSources,
): Promise<Answer> {
  const request = readRequest(incoming)
  if ('status' in request) return request
  const channel = await answerChannel(request, sources)
  if (channel !== undefined) return channel
  // A web page may not reach a loopback listener through a name that it controls (DNS rebinding).
  if (isOpenHere && !isOwnAuthority(request, origins)) return problem(421, 'Not an address of this listener')
  const probe = await answerProbe(request, sources)
  if (probe !== undefined) return probe
  const refused = crossSite(request, origins)
  if (refused !== undefined) return refused
  const known = await authenticate(request)
  return known.ok ? answerActor(request, known.actor, sources) : known.answer
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}
