import { openExports, type Exports } from './audit/exports/open-exports.ts'
import { FleetLog } from './audit/fleet-log.ts'
import { openAudit, type Audit } from './audit/open-audit.ts'
import type { ProcessOptions } from './process-options.ts'
import type { Telemetry } from './telemetry/telemetry.ts'
import { VERSION } from './version.ts'

/** What is written down for others to verify, and taken to where they read it. */
export interface OpenedRecord extends AsyncDisposable {
  readonly audit: Audit
  /** In a process on its own; of several workers the primary keeps it. */
  readonly fleetLog: FleetLog | undefined
  /** Where the fleet log is. */
  readonly exports: Exports | undefined
}

interface RecordOptions extends ProcessOptions {
  readonly telemetry: Pick<Telemetry, 'events' | 'exportMetrics'>
}

export async function openRecord(options: RecordOptions): Promise<OpenedRecord> {
  const { config, worker, clock, telemetry } = options
  const { events } = telemetry
  await using stack = new AsyncDisposableStack()
  // Closed after the log of this process, whose last checkpoint it has yet to take.
  const fleetLog = worker === 0 ? stack.use(await openFleetLog(options)) : undefined
  const audit = stack.use(
    await openAudit({
      config: config.audit,
      node: `worker-${worker}`,
      version: VERSION,
      clock,
      onAppend: events.auditAppended,
      onSync: events.auditSynced,
      onFailure: events.auditFailed,
      onLost: events.faulted,
      onDisclosuresLost: events.disclosuresLost,
      onPublishFailed: events.auditPublishFailed,
    }),
  )
  await fleetLog?.watch()
  for (const recovery of audit.recoveries) events.auditRecovered(recovery)
  const exports = worker === 0 ? stack.use(openExportsOf(options)) : undefined
  const owned = stack.move()
  return { audit, fleetLog, exports, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

function openFleetLog({ config, clock, telemetry: { events } }: RecordOptions): Promise<FleetLog> {
  return FleetLog.open({
    config: config.audit,
    version: VERSION,
    clock,
    onAlarm: events.fleetLogAlarmed,
    onFailure: events.fleetLogFailed,
    onWitness: events.witnessAnswered,
  })
}

function openExportsOf({ config, environment, clock, telemetry }: RecordOptions): Exports {
  return openExports({
    config: config.audit,
    environment,
    clock,
    metrics: telemetry.exportMetrics,
    onFailed: telemetry.events.exportFailed,
    onRecovered: telemetry.events.exportRecovered,
  })
}
