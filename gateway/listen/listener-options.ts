import type { Addressed } from '../catalog/connector.ts'
import type { ListenConfig } from '../config/config.ts'
import type { Arrival, LimitState, Unparsed } from '../exchange.ts'
import type { Outcome } from '../outcome.ts'
import type { Clock } from '../lib/clock.ts'
import type { Reply } from './reply.ts'

/** What the listener tells of requests that never reach `onCall`; each is one log line, the first two a record. */
interface ListenerEvents {
  /** A well-formed request that was refused before it became a call, because there is no room. */
  turnedAway(arrival: Arrival, outcome: Outcome): void
  /** Bytes that are no request, or one that did not arrive in time. */
  unparsed(unparsed: Unparsed): void
  /** A TLS handshake that failed, such as one with a revoked certificate. */
  handshakeFailed(error: Error, peerAddress: string): void
  /** A connection closed unseen, because there are `maxConnections`. */
  connectionDropped(): void
  /** `onCall` rejected or a response failed in a way that nobody expected. */
  readonly faulted: (cause: unknown) => void
}

/** A document served to anybody, such as the protected resource metadata of RFC 9728. */
interface WellKnownReply {
  readonly status: number
  /** Flat name, value list. */
  readonly headers: readonly string[]
  readonly body: Buffer
}

export interface ListenerOptions {
  readonly config: ListenConfig
  /** Ports of connectors that have their own, beside the main one. */
  readonly connectorPorts: readonly number[]
  readonly clock: Clock
  readonly events: ListenerEvents
  /** The connector that a request names. All three are as received, nothing checked; must not throw. */
  address(untrustedHost: string | undefined, port: number, path: string): Addressed | undefined
  /** Answers GET and HEAD below `/.well-known/`; `undefined` leaves the request to the connectors. */
  wellKnown(path: string, untrustedHost: string | undefined): WellKnownReply | undefined
  /** `RateLimit` and `RateLimit-Policy` as a flat name, value list. */
  readonly rateLimitHeaders: (limits: readonly LimitState[]) => readonly string[]
  /** The life of one call; settles when the call is on record. */
  onCall(arrival: Arrival, reply: Reply): Promise<void>
}
