import { OWN_NAME } from '../catalog/own-connector.ts'
import { Registry } from 'prom-client'
import type { TelemetryConfig } from '../config/config.ts'
import { systemClock, type Clock } from '../lib/clock.ts'
import { createApprovalEvents, type ApprovalEvents } from './approval-events.ts'
import { createChannelEvents, type ChannelEvents } from './channel-events.ts'
import { createEvents, type Events } from './events.ts'
import { createDetectionEvents, type DetectionEvents } from './detection-events.ts'
import { createReportEvents, type ReportEvents } from './decision-log-events.ts'
import { registerExports, type ExportMetrics } from './export-metrics.ts'
import { registerFleetLog } from './fleet-log-metrics.ts'
import { createLockEvents, type LockEvents } from './lock-events.ts'
import { openLog, type Log } from './log.ts'
import { createNotifyEvents, type NotifyEvents } from './notify-events.ts'
import type { MetricsText } from './merge.ts'
import { createMetrics } from './metrics.ts'
import { createPartEvents, type PartEvents } from './part-events.ts'
import { createPartMetrics } from './part-metrics.ts'
import { registerStates, type Watched } from './states.ts'

export interface TelemetryOptions {
  readonly config: TelemetryConfig
  /** Version of the gateway. */
  readonly version: string
  /** Names of the configured connectors: the closed set of that label. */
  readonly connectors: Iterable<string>
  readonly clock?: Clock
  /** Instead of the configured destination. */
  readonly log?: Log
}

export interface Telemetry extends AsyncDisposable {
  readonly events: Events &
    PartEvents &
    ReportEvents &
    DetectionEvents &
    NotifyEvents &
    ChannelEvents & { readonly lock: LockEvents; readonly approval: ApprovalEvents }
  readonly exportMetrics: ExportMetrics
  readonly log: Log
  /** Says where states are asked for when somebody scrapes; may be called again as parts come up. */
  watch(sources: Partial<Watched>): void
  /** Takes the connectors of a reloaded configuration. */
  useConnectors(connectors: Iterable<string>): void
  /** Prometheus text exposition. */
  metrics(): Promise<MetricsText>
  /** For `mergeMetrics` in another process. */
  metricsJson(): Promise<readonly object[]>
}

/** Log, metrics and events of one process; rejects when the log's file cannot be opened. */
export async function createTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const clock = options.clock ?? systemClock
  const log = options.log ?? (await openLog(options.config))
  const registry = new Registry()
  let connectors: ReadonlySet<string> = new Set([OWN_NAME, ...options.connectors])
  let watched: Partial<Watched> = { logLinesLost: () => log.lostLines() }
  const metrics = createMetrics(registry)
  const parts = createPartMetrics(registry)
  const nowMs = (): number => clock.nowMs()
  registerStates(registry, options.version, () => watched)
  const fleetLog = registerFleetLog(registry, () => watched.fleetLog?.())
  return {
    events: {
      ...createEvents({ log, metrics, fleetLog, connectors: () => connectors, nowMs }),
      ...createPartEvents({ log, metrics, parts, nowMs }),
      ...createReportEvents(log, registry),
      ...createChannelEvents(log, registry),
      ...createDetectionEvents(log, registry),
      ...createNotifyEvents(log, registry, () => watched.notify?.() ?? []),
      lock: createLockEvents({ log, registry, nowMs, watched: () => watched.locks?.() }),
      approval: createApprovalEvents({ log, registry, watched: () => watched.approvals?.() }),
    },
    exportMetrics: registerExports(registry, () => watched.exports?.() ?? []),
    log,
    watch: (sources) => {
      watched = { ...watched, ...sources }
    },
    useConnectors: (names) => {
      connectors = new Set([OWN_NAME, ...names])
    },
    metrics: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    metricsJson: () => registry.getMetricsAsJSON(),
    [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
  }
}
