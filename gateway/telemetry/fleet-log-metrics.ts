import { Counter, Gauge, Registry } from 'prom-client'
import { FLEET_ALARMS, type FleetAlarm } from '../audit/fleet-log.ts'

export interface FleetLogState {
  readonly logs: number
  readonly healthy: boolean
}

export interface FleetLogMetrics {
  alarmed(alarm: FleetAlarm): void
}

/** Metrics of the fleet log, which one process of a gateway keeps; the others have no state of it. */
export function registerFleetLog(
  registry: Registry,
  state: () => FleetLogState | undefined,
): FleetLogMetrics {
  const registers = [registry]
  const gauge = (name: string, help: string, read: (state: FleetLogState) => number): void => {
    const collect = function (this: Gauge): void {
      const current = state()
      if (current === undefined) this.remove()
      else this.set(read(current))
    }
    void new Gauge({ name, help, aggregator: 'max', registers, collect })
  }
  gauge('toolgate_audit_fleet_logs', 'Audit logs that the fleet log knows.', ({ logs }) => logs)
  gauge('toolgate_audit_fleet_healthy', 'Whether the fleet log can be written.', ({ healthy }) =>
    Number(healthy),
  )
  const alarms = new Counter({
    name: 'toolgate_audit_fleet_alarms_total',
    help: 'Audit logs that the fleet log found gone, put back or signed by a stranger.',
    labelNames: ['alarm'],
    registers,
  })
  for (const alarm of FLEET_ALARMS) alarms.inc({ alarm }, 0)
  return { alarmed: (alarm) => alarms.inc({ alarm }) }
}

/** The same in a process that has no other metrics. */
export function createFleetLogMetrics(
  state: () => FleetLogState | undefined,
): FleetLogMetrics & { metricsJson(): Promise<readonly object[]> } {
  const registry = new Registry()
  return { ...registerFleetLog(registry, state), metricsJson: () => registry.getMetricsAsJSON() }
}
