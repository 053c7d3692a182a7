import type { Arrival, LimitState, Received, Unparsed } from '../../gateway/exchange.ts'
import type { Outcome } from '../../gateway/outcome.ts'
import type { ListenConfig } from '../../gateway/config/config.ts'
import { systemClock } from '../../gateway/lib/clock.ts'
import { createListener } from '../../gateway/listen/listener.ts'
import type { Listener } from '../../gateway/listen/listener.ts'
import type { ListenerOptions } from '../../gateway/listen/listener-options.ts'
import type { Reply } from '../../gateway/listen/reply.ts'
import { createReceive } from '../../gateway/stages/receive.ts'

export interface TestListener extends AsyncDisposable {
  readonly listener: Listener
  readonly port: number
  /** Calls that passed receive, in order. */
  readonly received: readonly Received[]
  /** Every refusal that a call got, as the record would see it. */
  readonly outcomes: readonly Outcome[]
  readonly unparsed: readonly Unparsed[]
  readonly turnedAway: readonly Outcome[]
  readonly handshakeErrors: readonly Error[]
}

export interface TestListenerOptions extends Partial<Omit<ListenerOptions, 'config' | 'onCall'>> {
  readonly config?: Partial<ListenConfig>
  /** What happens to a call that passed receive; answers 200 with an empty body where absent. */
  readonly onReceived?: (received: Received, reply: Reply) => Promise<Outcome | void> | Outcome | void
}

const CONFIG: ListenConfig = {
  host: '127.0.0.1',
  port: 0,
  tls: undefined,
  externalOrigins: ['http://127.0.0.1'],
  externalPathPrefix: '',
  admin: {
    host: '127.0.0.1',
    port: 0,
    token: undefined,
    externalOrigins: [],
    tls: undefined,
    people: { issuers: [], certificates: [], operatorGroups: [], barred: [] },
  },
  headerLimitBytes: 16_384,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 20_000,
  keepAliveTimeoutMs: 5000,
  maxConnections: 1000,
  maxCallsInFlight: 1000,
  connectionMaxAgeMs: 600_000,
  drain: { graceMs: 0, deadlineMs: 1000 },
}

/** The real listener and the real receive stage, with a call's further life as the test wants it. */
export async function startListener(options: TestListenerOptions = {}): Promise<TestListener> {
  const received: Received[] = []
  const outcomes: Outcome[] = []
  const unparsed: Unparsed[] = []
  const turnedAway: Outcome[] = []
  const handshakeErrors: Error[] = []
  const receive = createReceive()
  const onReceived = options.onReceived ?? answerNothing

  const onCall = async (arrival: Arrival, reply: Reply): Promise<void> => {
    const verdict = receive(arrival)
    if (!verdict.ok) {
      outcomes.push(reply.refuse(verdict.refusal, { arrival }))
      return
    }
    received.push(verdict.value)
    const outcome = await onReceived(verdict.value, reply)
    if (outcome !== undefined) outcomes.push(outcome)
  }

  const listener = await createListener({
    connectorPorts: [],
    clock: systemClock,
    events: {
      turnedAway: (_arrival, outcome) => void turnedAway.push(outcome),
      unparsed: (each) => void unparsed.push(each),
      handshakeFailed: (error) => void handshakeErrors.push(error),
      connectionDropped: () => undefined,
      faulted: (cause) => {
        throw cause
      },
    },
    address: () => undefined,
    wellKnown: () => undefined,
    rateLimitHeaders: (_limits: readonly LimitState[]) => [],
    ...options,
    config: { ...CONFIG, ...options.config },
    onCall,
  })
  return {
    listener,
    port: listener.port,
    received,
    outcomes,
    unparsed,
    turnedAway,
    handshakeErrors,
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  }
}

function answerNothing(received: Received, reply: Reply): void {
  reply.begin(200, ['Content-Length', '0'], received).end()
}
