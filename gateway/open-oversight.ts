import { HeldPlaces } from './approvals/held-places.ts'
import type { Audit } from './audit/open-audit.ts'
import type { Detections } from './detections/detections.ts'
import type { LockService } from './locks/lock-service.ts'
import type { Locks } from './locks/locks.ts'
import type { Notify } from './notify/event.ts'
import { openApprovals, type OpenedApprovals } from './open-approvals.ts'
import { type Channels, openChannels } from './open-channels.ts'
import { openDetections } from './open-detections.ts'
import { openLocks } from './open-locks.ts'
import type { ControlPlace } from './store/open-control.ts'
import type { OpenedStore } from './store/open-store.ts'
import type { ProcessOptions } from './process-options.ts'
import type { Telemetry } from './telemetry/telemetry.ts'

/** How people keep agents in hand: locks, approvals, the channels that they are asked through, and what they are warned of. */
export interface Oversight extends AsyncDisposable {
  /** Where that lies what people decide. */
  readonly control: ControlPlace
  readonly locks: Locks
  readonly lockService: LockService
  readonly approvals: OpenedApprovals
  readonly heldPlaces: HeldPlaces
  readonly channels: Channels
  readonly detections: Detections
  /** Settles when the locks in force are known, or the store has had its time. */
  readonly known: Promise<unknown>
}

interface OversightOptions extends Pick<ProcessOptions, 'config' | 'environment' | 'clock'> {
  readonly audit: Audit
  readonly events: Telemetry['events']
  readonly password: string | undefined
  readonly sightings: OpenedStore['sightings']
}

/** @throws when the control file cannot be opened, or a channel cannot be reached as the configuration says */
export async function openOversight(options: OversightOptions): Promise<Oversight> {
  const { config, environment, clock, audit, events, password, sightings } = options
  await using stack = new AsyncDisposableStack()
  const notify: Notify = (event) => channels.notifier.notify(event)
  const told = { clock, audit, events, notify }
  const { control, locks, lockService, known } = stack.use(openLocks({ ...told, config, password }))
  const approvals = stack.use(
    openApprovals({ ...told, config, control, detect: (event) => detections.approvalEvent(event) }),
  )
  const { deployment } = config.audit
  const { service } = approvals
  // Closed before what people decided is: what is still told there has to be remembered.
  const channels = stack.use(
    openChannels({ deployment, environment, clock, place: control, approvals: service, events, audit }),
  )
  channels.prepare(config.notify)()
  const detections = stack.use(openDetections({ ...told, config, store: sightings, locks: lockService }))
  const owned = stack.move()
  return {
    control,
    locks,
    lockService,
    approvals,
    heldPlaces: new HeldPlaces({ most: config.approvals.maxHeld, onFull: events.approval.unheld }),
    channels,
    detections,
    known,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
