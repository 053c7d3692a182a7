import { Counter, Gauge, Registry } from 'prom-client'
import { FLEET_ALARMS, type FleetAlarm } from '../audit/fleet-log.ts'
import { WITNESS_OUTCOMES, type WitnessOutcome } from '../audit/witness/witnessing.ts'

export interface FleetLogState {
  readonly logs: number
  readonly healthy: boolean
  /** `undefined` where no witnesses are configured. */
  readonly quorumAtMs: number | undefined
}

export interface FleetLogMetrics {
  alarmed(alarm: FleetAlarm): void
  witnessAnswered(outcome: WitnessOutcome): void
}

/** Metrics of the fleet log, which one process of a gateway keeps; the others have no state of it. */
export function registerFleetLog(
  registry: Registry,
  state: () => FleetLogState | undefined,
): FleetLogMetrics {
  const registers = [registry]
  const gauge = (name: string, help: string, read: (state: FleetLogState) => number | undefined): void => {
    const collect = function (this: Gauge): void {
      const current = state()
      const value = current && read(current)
      if (value === undefined) this.remove()
      else this.set(value)
    }
    void new Gauge({ name, help, aggregator: 'max', registers, collect })
  }
  gauge('toolgate_audit_fleet_logs', 'Audit logs that the fleet log knows.', ({ logs }) => logs)
  gauge('toolgate_audit_fleet_healthy', 'Whether the fleet log can be written.', ({ healthy }) =>
    Number(healthy),
  )
  gauge(
    'toolgate_audit_quorum_timestamp_seconds',
    'When a quorum of witnesses last cosigned the fleet log; the start, before the first time.',
    ({ quorumAtMs }) => quorumAtMs && quorumAtMs / 1_000,
  )
  const answers = new Counter({
    name: 'toolgate_audit_witness_answers_total',
    help: 'How witnesses answered when they were asked to cosign the fleet log.',
    labelNames: ['outcome'],
    registers,
  })
  for (const outcome of WITNESS_OUTCOMES) answers.inc({ outcome }, 0)
  const alarms = new Counter({
    name: 'toolgate_audit_fleet_alarms_total',
    help: 'Audit logs that the fleet log found gone, put back or signed by a stranger.',
    labelNames: ['alarm'],
    registers,
  })
  for (const alarm of FLEET_ALARMS) alarms.inc({ alarm }, 0)
  return {
    alarmed: (alarm) => alarms.inc({ alarm }),
    witnessAnswered: (outcome) => answers.inc({ outcome }),
  }
}

/** The same in a process that has no other metrics. */
export function createFleetLogMetrics(
  state: () => FleetLogState | undefined,
): FleetLogMetrics & { metricsJson(): Promise<readonly object[]> } {
  const registry = new Registry()
  return { ...registerFleetLog(registry, state), metricsJson: () => registry.getMetricsAsJSON() }
}
