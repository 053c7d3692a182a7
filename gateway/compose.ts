import type { Readiness } from './admin/admin.ts'
import type { Config } from './config/config.ts'
import { channelRoutesOf, controlRoutesOf } from './control-routes.ts'
import { createControlPlane } from './control/control-plane.ts'
import type { ControlPlane } from './control/control.ts'
import { resourceMetadataReply } from './identity/well-known.ts'
import { createGeneration, type Generation } from './generation.ts'
import { handle } from './handle.ts'
import { openLasting, type Lasting } from './lasting.ts'
import { systemClock, type Clock } from './lib/clock.ts'
import { rateLimitHeaders } from './limits/rate-limit-headers.ts'
import { createListener, type Listener } from './listen/listener.ts'
import { settleOrigins, settlePort } from './listen/settle-address.ts'
import { PAGE_BYTES } from './policy/evaluation/sandbox.ts'
import { createReload, putInForce } from './reload.ts'
import { bundleState, notesOf, readinessOf, statusOf } from './report.ts'
import { createRecordUnparsed } from './stages/record-unparsed.ts'
import { createSuccession, type Succession } from './succession.ts'
import type { MetricsText } from './telemetry/merge.ts'
import { VERSION } from './version.ts'

/** A running gateway: open ports, and everything behind them. Disposal without `drain` cuts calls short. */
export interface Gateway extends AsyncDisposable, ControlPlane {
  readonly port: number
  readonly connectorPorts: readonly number[]
  /** Why it may not be sent calls; empty when it may. */
  readiness(): Readiness
  /** What to know beside that, by the name of the part; nothing here keeps calls away. */
  notes(): Readiness
  metrics(): Promise<MetricsText>
  /** For `mergeMetrics` in another process. */
  metricsJson(): Promise<readonly object[]>
  status(): unknown
  config(): Config
  /**
   * Takes the configuration that `load` gives, all or nothing. Never rejects: what is wrong with it is logged and
   * counted, and the last good one stays. Opens the log's file anew, too: rotating it comes with the same signal.
   */
  reload(load: () => Config): Promise<void>
  /** Lets calls in flight finish, as `listen.drain` says; cut short once `hurry` is aborted. */
  drain(hurry: AbortSignal): Promise<void>
}

export interface GatewayOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** 0 for a process on its own. */
  readonly worker: number
  readonly clock?: Clock
  /** Where the folders of connectors lie; those that come with the gateway by default. */
  readonly connectorsDirectory?: string
}

/** The only place where the parts meet. Rejects, with nothing left open, when one of them cannot start. */
export async function startGateway(given: Config, options: GatewayOptions): Promise<Gateway> {
  const { environment, worker, clock = systemClock, connectorsDirectory } = options
  const port = await settlePort(given.listen)
  const make = (config: Config, lasting: Lasting, before?: Generation): Promise<Generation> => {
    const settled = { ...config, listen: settleOrigins(config, port) }
    return createGeneration({
      config: settled,
      lasting,
      environment,
      clock,
      redecide: (call) => generations.current.stages.decide(call),
      before,
      connectorsDirectory,
    })
  }

  await using stack = new AsyncDisposableStack()
  const lasting = stack.use(await openLasting({ config: given, environment, worker, clock }))
  const { events } = lasting.telemetry
  const generations = stack.use(createSuccession(await make(given, lasting), events.faulted))
  const listener = stack.use(await openListener(generations, lasting, clock))
  watchStates(lasting, generations, listener)
  putInForce(lasting, generations.current)
  events.started({ host: given.listen.host, port: listener.port, version: VERSION })

  const plane: ControlPlane = createControlPlane({
    routes: controlRoutesOf(lasting, () => generations.current, clock),
    channels: channelRoutesOf(lasting, (request) => plane.control(request)),
    onFault: events.faulted,
  })
  const owned = stack.move()
  return {
    ...plane,
    port: listener.port,
    connectorPorts: listener.connectorPorts,
    readiness: () => readinessOf(listener, generations.current, lasting),
    notes: () => notesOf(generations.current, lasting),
    metrics: () => lasting.telemetry.metrics(),
    metricsJson: () => lasting.telemetry.metricsJson(),
    status: () => statusOf(listener, generations.current, lasting),
    config: () => generations.current.config,
    reload: createReload({ given, make, lasting, generations, listener }),
    async drain(hurry) {
      events.draining()
      lasting.heldPlaces.end()
      await listener.drain(given.listen.drain, hurry)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function openListener(
  generations: Succession<Generation>,
  lasting: Lasting,
  clock: Clock,
): Promise<Listener> {
  const { events } = lasting.telemetry
  const recordUnparsed = createRecordUnparsed({ recorder: lasting.audit.recorder, events })
  const { config } = generations.current
  return createListener({
    config: config.listen,
    connectorPorts: Object.values(config.connectors).flatMap(({ address }) => address.port ?? []),
    clock,
    address: (untrustedHost, port, path) =>
      generations.current.catalog.connectorAt({ untrustedHost, port, path }),
    wellKnown: (path, untrustedHost) =>
      resourceMetadataReply(generations.current.config, path, untrustedHost),
    rateLimitHeaders,
    onCall: (arrival, reply) => generations.use(({ stages }) => handle(stages, arrival, reply)),
    events: {
      turnedAway: (arrival, outcome) => void generations.current.stages.record({ arrival }, outcome, false),
      unparsed: (unparsed) => void recordUnparsed(unparsed),
      handshakeFailed: events.handshakeFailed,
      connectionDropped: events.connectionDropped,
      faulted: events.faulted,
    },
  })
}

function watchStates(lasting: Lasting, generations: Succession<Generation>, listener: Listener): void {
  const { approvals, audit, channels, exports, fleetLog, heldPlaces, locks, reports, store, telemetry } =
    lasting
  telemetry.watch({
    callsInFlight: () => listener.callsInFlight,
    certificateEndsAtMs: () => listener.certificateEndsAtMs,
    auditQueuedBytes: () => audit.log.health().queuedBytes,
    auditTrouble: () => audit.recorder.trouble(),
    auditTree: () => audit.tree(),
    ...(fleetLog && { fleetLog: () => fleetLog }),
    ...(exports && { exports: () => exports.states() }),
    notify: () => channels.notifier.states(),
    locks: () => locks,
    approvals: () => approvals.keeper,
    heldPlaces: () => heldPlaces,
    storeState: () => store.state(),
    breakers: () => generations.current.breakers.states(),
    policy: () => generations.current.policy,
    decisionLog: () => reports.decisionLog?.status(),
    shadow: () => shadowInfo(generations.current),
    policyMemoryBytes: () => generations.current.policy.status().memoryPages * PAGE_BYTES,
  })
  reports.watch(() => bundleState(generations.current.policy))
}

function shadowInfo({ shadow }: Generation): { revision: string; digest: string } | undefined {
  const { revision, digest } = shadow ?? {}
  return revision === undefined || digest === undefined ? undefined : { revision, digest }
}
