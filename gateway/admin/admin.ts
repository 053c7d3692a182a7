import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer, Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { AdminConfig, PeopleConfig } from '../config/admin-config.ts'
import type { DpopConfig } from '../config/config.ts'
import { isLoopback } from '../config/loopback.ts'
import type { IdentityEvents } from '../identity/key-source.ts'
import type { Clock } from '../lib/clock.ts'
import { readSecureContext, tlsServerOptions } from '../listen/tls.ts'
import type { Refusal } from '../refusal.ts'
import { problem, send, type Answer } from './answer.ts'
import { createAuthenticate } from './authenticate.ts'
import { CurrentEntrance, type OpenEntrance } from './current-entrance.ts'
import { createAnswer } from './entrance.ts'
import { createPersonByCertificate } from './people-certificates.ts'
import { createUsedProofs, PeopleTokens, type UsedProofs } from './people-tokens.ts'
import type { AdminSources } from './resources.ts'
import { ownOrigins } from './same-site.ts'

export type { AdminSources, Readiness } from './resources.ts'

export interface AdminOptions extends Omit<AdminConfig, 'token'> {
  /** The operators' token as it is, not where it is read from. */
  readonly token: string | undefined
  readonly dpop: DpopConfig
  readonly clock: Clock
  readonly events: AdminEvents
}

export interface AdminEvents {
  /** A token that was not believed; the detail is for the log alone. */
  refused(refusal: Refusal): void
  readonly identity: IdentityEvents
}

export interface Admin extends AsyncDisposable {
  readonly port: number
  /**
   * Reads certificates, CA and CRL afresh for new connections; those that are open end with the answer they are at.
   *
   * @throws GatewayFault when the files cannot be used; the old ones then stay in force
   */
  reloadTls(): void
  /** Knows these people from now on, and no others; whoever is being answered is known as before. */
  usePeople(people: PeopleConfig): Promise<void>
}

/** Holds an access token and a proof of the greatest sizes that are read. */
const HEADER_LIMIT_BYTES = 32_768
const REQUEST_TIMEOUT_MS = 10_000
const HANDSHAKE_TIMEOUT_MS = 10_000
const MAX_CONNECTIONS = 256

/** The listener for operators, people and channels: health, metrics, state, control. Never on the path of a call. */
export async function startAdmin(options: AdminOptions, sources: AdminSources): Promise<Admin> {
  const { tls } = options
  await using stack = new AsyncDisposableStack()
  const server = openServer(tls)
  let generation = 0
  const opened = new WeakMap<object, number>()
  server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: object) => {
    opened.set(socket, generation)
  })
  const proofs = createUsedProofs()
  let port = options.port
  const entrance = stack.use(
    new CurrentEntrance((people) => openEntrance({ ...options, people, port }, proofs)),
  )
  const answer = createAnswer(() => entrance.now(), sources)
  // Before it listens: Node drops a request that nobody waits for, and whoever sent it waits for good.
  server.on('request', (incoming, response) => {
    void answer(incoming)
      .catch((): Answer => problem(500, 'The admin listener failed'))
      .then((given) => send(response, given, opened.get(incoming.socket) !== generation))
  })
  server.listen(port, options.host)
  await once(server, 'listening')
  stack.defer(() => close(server))
  port = (server.address() as AddressInfo).port
  await entrance.use(options.people)
  const owned = stack.move()
  return {
    port,
    reloadTls: () => {
      if (tls === undefined || !(server instanceof TlsServer)) return
      server.setSecureContext(readSecureContext(tls))
      generation += 1
      server.closeIdleConnections()
    },
    usePeople: (people) => entrance.use(people),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function openServer(tls: AdminConfig['tls']): Server {
  const common = {
    maxHeaderSize: HEADER_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Node looks every 30 s otherwise, which is how late the timeout would be.
    connectionsCheckingInterval: 1_000,
  }
  const server =
    tls === undefined
      ? createServer(common)
      : createTlsServer({ ...common, ...tlsServerOptions(tls, HANDSHAKE_TIMEOUT_MS) })
  server.maxConnections = MAX_CONNECTIONS
  return server
}

/** Waits for the keys of people's issuers, or for the first failure to get them. */
async function openEntrance(options: AdminOptions, proofs: UsedProofs): Promise<OpenEntrance> {
  const { token, host, tls, people, dpop, clock, events } = options
  const origins = ownOrigins(options, tls === undefined ? 'http' : 'https', options.port)
  const isOpenHere = token === undefined && isLoopback(host)
  const peopleTokens =
    people.issuers.length === 0
      ? undefined
      : new PeopleTokens({ people, dpop, tls, origins, proofs, clock, events: events.identity })
  await peopleTokens?.opened
  return {
    origins,
    isOpenHere,
    operatorGroups: new Set(people.operatorGroups),
    resource: peopleTokens?.resource,
    authenticate: createAuthenticate({
      token,
      isOpenHere,
      personByCertificate: createPersonByCertificate(people.certificates),
      peopleTokens,
      nowMs: () => clock.nowMs(),
      onRefused: events.refused,
    }),
    [Symbol.dispose]: () => peopleTokens?.[Symbol.dispose](),
  }
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}
