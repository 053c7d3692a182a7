import { randomBytes } from 'node:crypto'
import { openExports, type Exports } from './audit/exports/open-exports.ts'
import { FleetLog } from './audit/fleet-log.ts'
import { openAudit, type Audit } from './audit/open-audit.ts'
import type { Config } from './config/config.ts'
import { HeldPlaces } from './approvals/held-places.ts'
import { createSecretReader } from './config/secret.ts'
import type { Detections } from './detections/detections.ts'
import type { Clock } from './lib/clock.ts'
import type { Notify } from './notify/event.ts'
import type { LockService } from './locks/lock-service.ts'
import type { Locks } from './locks/locks.ts'
import { openApprovals, type OpenedApprovals } from './open-approvals.ts'
import { type Channels, openChannels } from './open-channels.ts'
import { openLocks } from './open-locks.ts'
import { openDetections } from './open-detections.ts'
import { openReports, type Reports } from './reports.ts'
import type { ControlPlace } from './store/open-control.ts'
import { openStore, type OpenedStore } from './store/open-store.ts'
import { createTelemetry, type Telemetry } from './telemetry/telemetry.ts'
import { VERSION } from './version.ts'

/** What outlives a reading of the configuration: counters, the log, the record. */
export interface Lasting extends AsyncDisposable {
  readonly telemetry: Telemetry
  readonly audit: Audit
  /** In a process on its own; of several workers the primary keeps it. */
  readonly fleetLog: FleetLog | undefined
  /** Where the fleet log is. */
  readonly exports: Exports | undefined
  readonly store: OpenedStore
  /** Where that lies what people decide. */
  readonly control: ControlPlace
  readonly locks: Locks
  readonly lockService: LockService
  readonly approvals: OpenedApprovals
  readonly heldPlaces: HeldPlaces
  readonly reports: Reports
  readonly channels: Channels
  readonly detections: Detections
  /** Key of the DPoP nonces of one process whose memory of proofs ends with it. */
  readonly nonceKey: Uint8Array
}

export interface LastingOptions {
  readonly config: Config
  readonly environment: Readonly<Record<string, string | undefined>>
  /** 0 for a process on its own. */
  readonly worker: number
  readonly clock: Clock
}

export async function openLasting(options: LastingOptions): Promise<Lasting> {
  const { config, environment, worker, clock } = options
  await using stack = new AsyncDisposableStack()
  const telemetry = stack.use(
    await createTelemetry({
      config: config.telemetry,
      version: VERSION,
      connectors: Object.keys(config.connectors),
      clock,
    }),
  )
  const { events } = telemetry
  // The log is the last to close, so that it can tell what was lost on the way.
  stack.defer(() => events.stopped(telemetry.log.lostLines()))
  // Closed after the log of this process, whose last checkpoint it has yet to take.
  const fleetLog = worker === 0 ? stack.use(await openFleetLog(options, events)) : undefined
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
  const exports =
    worker === 0
      ? stack.use(
          openExports({
            config: config.audit,
            environment,
            clock,
            metrics: telemetry.exportMetrics,
            onFailed: events.exportFailed,
            onRecovered: events.exportRecovered,
          }),
        )
      : undefined
  const reports = stack.use(await openReports({ config, environment, clock, telemetry }))
  const reference = config.store.redis?.password
  const password = reference && createSecretReader(environment)(reference)
  const store = stack.use(
    openStore({
      config: config.store,
      password,
      proofLifetimeMs: proofLifetimeOf(config),
      clock,
      events: events.store,
    }),
  )
  const notify: Notify = (event) => channels.notifier.notify(event)
  const { control, locks, lockService, known } = stack.use(
    openLocks({ config, password, clock, audit, events, notify }),
  )
  const approvals = stack.use(
    openApprovals({
      config,
      control,
      clock,
      audit,
      events,
      notify,
      detect: (event) => detections.approvalEvent(event),
    }),
  )
  const { deployment } = config.audit
  const { service } = approvals
  // Closed before what people decided is: what is still told there has to be remembered.
  const channels = stack.use(
    openChannels({ deployment, environment, clock, place: control, approvals: service, events, audit }),
  )
  channels.prepare(config.notify)()
  const detections = stack.use(
    openDetections({
      config,
      store: store.sightings,
      clock,
      audit,
      events,
      notify,
      locks: lockService,
    }),
  )
  // Before that every call would get what the failure modes say of a store that is away.
  await Promise.all([store.opened, known])
  const owned = stack.move()
  const nonceKey = randomBytes(32)
  const close = (): Promise<void> => owned.disposeAsync()
  return {
    telemetry,
    audit,
    fleetLog,
    exports,
    store,
    control,
    locks,
    lockService,
    approvals,
    heldPlaces: new HeldPlaces({ most: config.approvals.maxHeld, onFull: events.approval.unheld }),
    reports,
    channels,
    detections,
    nonceKey,
    [Symbol.asyncDispose]: close,
  }
}

function openFleetLog({ config, clock }: LastingOptions, events: Telemetry['events']): Promise<FleetLog> {
  return FleetLog.open({
    config: config.audit,
    version: VERSION,
    clock,
    onAlarm: events.fleetLogAlarmed,
    onFailure: events.fleetLogFailed,
    onWitness: events.witnessAnswered,
  })
}

/** A nonce has a period in place of the window of `iat`, and no clock of the agent's that could be ahead. */
function proofLifetimeOf({ identity: { dpop } }: Config): number {
  return dpop.nonce === 'off' ? dpop.maxAgeMs + dpop.maxSkewMs : dpop.maxAgeMs
}
