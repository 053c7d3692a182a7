import { Counter, Gauge, Registry } from 'prom-client'

export interface ExportState {
  /** Name of the configured export: a closed set. */
  readonly name: string
  readonly lagEntries: number
  readonly lagSeconds: number
}

/** `target` did not take a batch · `record` could not be read. */
const FAILURES = ['target', 'record'] as const
export type ExportFailure = (typeof FAILURES)[number]

export interface ExportMetrics {
  /** Makes the series of an export before anything happens to it. */
  open(name: string): void
  delivered(name: string, entries: number): void
  failed(name: string, reason: ExportFailure): void
}

/** Metrics of the exports of the record, which one process of a gateway runs; the others have no series of them. */
export function registerExports(registry: Registry, states: () => readonly ExportState[]): ExportMetrics {
  const registers = [registry]
  const gauge = (name: string, help: string, read: (state: ExportState) => number): void => {
    const collect = function (this: Gauge): void {
      this.reset()
      for (const state of states()) this.set({ export: state.name }, read(state))
    }
    void new Gauge({ name, help, labelNames: ['export'], aggregator: 'max', registers, collect })
  }
  gauge(
    'toolgate_audit_export_lag_entries',
    'Audit entries that checkpoints cover and that an export has not delivered.',
    ({ lagEntries }) => lagEntries,
  )
  gauge(
    'toolgate_audit_export_lag_seconds',
    'Age of the oldest audit entry that waits for an export.',
    ({ lagSeconds }) => lagSeconds,
  )
  const delivered = new Counter({
    name: 'toolgate_audit_export_delivered_total',
    help: 'Audit entries that the target of an export acknowledged.',
    labelNames: ['export'],
    registers,
  })
  const failures = new Counter({
    name: 'toolgate_audit_export_failures_total',
    help: 'Deliveries of an export that failed and are tried again, and logs that it cannot read.',
    labelNames: ['export', 'reason'],
    registers,
  })
  return {
    open(name) {
      delivered.inc({ export: name }, 0)
      for (const reason of FAILURES) failures.inc({ export: name, reason }, 0)
    },
    delivered: (name, entries) => delivered.inc({ export: name }, entries),
    failed: (name, reason) => failures.inc({ export: name, reason }),
  }
}

/** The same in a process that has no other metrics. */
export function createExportMetrics(
  states: () => readonly ExportState[],
): ExportMetrics & { metricsJson(): Promise<readonly object[]> } {
  const registry = new Registry()
  return { ...registerExports(registry, states), metricsJson: () => registry.getMetricsAsJSON() }
}
