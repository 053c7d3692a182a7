import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createCredentials } from '../../gateway/credentials/credentials.ts'
import { createEgress } from '../../gateway/egress/egress.ts'
import type { Egress } from '../../gateway/egress/egress.ts'
import type { Lookup } from '../../gateway/egress/guarded-connector.ts'
import type { UpstreamLimits } from '../../gateway/egress/pools.ts'
import type { Connector, Operation } from '../../gateway/catalog/connector.ts'
import type { CredentialConfig } from '../../gateway/config/config.ts'
import type { Arrival, CallId } from '../../gateway/exchange.ts'
import type { Outcome } from '../../gateway/outcome.ts'
import { systemClock } from '../../gateway/lib/clock.ts'
import { createReply } from '../../gateway/listen/create-reply.ts'
import { pass } from '../../gateway/refusal.ts'
import type { Refusal } from '../../gateway/refusal.ts'
import { permitted } from '../harness/permitted.ts'
import { createForward } from '../../gateway/stages/forward.ts'
import { createIntend } from '../../gateway/stages/intend.ts'
import { createReceive } from '../../gateway/stages/receive.ts'
import { createRelay } from '../../gateway/stages/relay.ts'
import { createSeal } from '../../gateway/stages/seal.ts'
import { NO_LOCKS } from '../harness/no-locks.ts'
import { vendorConnector } from '../harness/upstream.ts'
import { decidedCall } from './decided-call.ts'

export interface ForwardOptions {
  readonly origin: string
  readonly connector?: Partial<Connector>
  readonly operation?: Partial<Operation>
  readonly limits?: Partial<UpstreamLimits>
  readonly credential?: CredentialConfig
  readonly environment?: Readonly<Record<string, string>>
  readonly redirectPorts?: readonly number[]
  readonly redirectLimitBytes?: number
  readonly stallTimeoutMs?: number
  readonly lookup?: Lookup
}

export interface ForwardGateway extends AsyncDisposable {
  readonly origin: string
  readonly port: number
  readonly egress: Egress
  /** How calls ended, in that order. */
  readonly nextOutcome: () => Promise<Outcome>
  /** What stopped calls before relay, beside what the caller was told. */
  readonly refusals: readonly Refusal[]
  /** Cuts every call in flight short, as a drain does at its deadline. */
  readonly cut: (reason: Error) => void
  /** Names of the egress events that happened. */
  readonly events: readonly string[]
}

const LIMITS: UpstreamLimits = {
  allowAddresses: ['127.0.0.0/8'],
  caFile: undefined,
  connections: 8,
  connectTimeoutMs: 5_000,
  replyTimeoutMs: 5_000,
  idleTimeoutMs: 5_000,
}

/**
 * A real HTTP server whose calls go through receive, approve, seal, intend, forward and relay as they are, with
 * identify, route, admit and decide taken for granted and the audit log left out.
 */
export async function startForwardGateway(options: ForwardOptions): Promise<ForwardGateway> {
  const connector = vendorConnector(options.origin, options.connector)
  const outcomes: Outcome[] = []
  const refusals: Refusal[] = []
  const events: string[] = []
  const ended = new EventTarget()
  const inFlight = new Set<AbortController>()
  let taken = 0
  const credentials = createCredentials({
    connectors: { vendor: { credential: options.credential ?? { type: 'none' } } },
    environment: options.environment ?? {},
    clock: systemClock,
    events: { credentialChanged: () => undefined },
  })
  const egress = createEgress({
    connectors: [{ name: 'vendor', ...LIMITS, ...options.limits }],
    clock: systemClock,
    events: {
      repeated: () => void events.push('repeated'),
      redirectFollowed: (_connector, host) => void events.push(`redirectFollowed ${host}`),
    },
    ...(options.redirectPorts === undefined ? {} : { redirectPorts: options.redirectPorts }),
    ...(options.redirectLimitBytes === undefined ? {} : { redirectLimitBytes: options.redirectLimitBytes }),
    ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
  })
  const stages = {
    receive: createReceive(),
    seal: createSeal({ connectors: [connector], credentials, locks: NO_LOCKS }),
    intend: createIntend({ intend: async () => pass({ epoch: 'test', index: 0 }) }),
    forward: createForward(egress),
    relay: createRelay({
      connectors: [connector],
      externalBase: () => 'http://gateway.test/vendor',
      detectors: { reply: () => undefined },
      stallTimeoutMs: options.stallTimeoutMs ?? 5_000,
    }),
  }

  const carry = async (request: IncomingMessage, response: ServerResponse): Promise<Outcome> => {
    const abort = new AbortController()
    inFlight.add(abort)
    response.on('close', () => abort.abort(new Error('the client went away')))
    const callId = '0190f000-0000-7000-8000-000000000000' as CallId
    const reply = createReply({
      request,
      response,
      dialect: 'problem',
      callId,
      closing: () => false,
      rateLimitHeaders: () => [],
      nowMs: () => systemClock.nowMs(),
    })
    const arrival: Arrival = {
      callId,
      receivedAtMs: systemClock.nowMs(),
      startedMs: systemClock.monotonicMs(),
      request,
      addressed: undefined,
      signal: abort.signal,
      abort: (reason) => abort.abort(reason),
    }
    const stop = (refusal: Refusal): Outcome => {
      refusals.push(refusal)
      return reply.refuse(refusal, { arrival })
    }
    const received = stages.receive(arrival)
    if (!received.ok) return stop(received.refusal)
    reply.continue()
    const permit = permitted(await decidedCall(received.value, connector, options.operation ?? {}))
    const sealed = await stages.seal(permit)
    if (!sealed.ok) return stop(sealed.refusal)
    const intended = await stages.intend(sealed.value)
    if (!intended.ok) return stop(intended.refusal)
    const answered = await stages.forward(intended.value)
    if (!answered.ok) return stop(answered.refusal)
    return await stages.relay(answered.value, reply)
  }

  const server = createServer((request, response) => {
    void carry(request, response).then((outcome) => {
      outcomes.push(outcome)
      ended.dispatchEvent(new Event('outcome'))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    egress,
    refusals,
    events,
    cut: (reason) => {
      for (const abort of inFlight) abort.abort(reason)
    },
    nextOutcome: async () => {
      while (outcomes.length <= taken) await once(ended, 'outcome')
      taken += 1
      return outcomes[taken - 1] as Outcome
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      credentials[Symbol.dispose]()
      await egress[Symbol.asyncDispose]()
    },
  }
}

/** Resolves once a count has begun and has stood still for a tenth of a second: whoever counts is held back. */
export async function settled(count: () => number): Promise<void> {
  let last = -1
  while (last <= 0 || count() !== last) {
    last = count()
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
