import type { Audit } from './audit/open-audit.ts'
import type { Config } from './config/config.ts'
import { Detections } from './detections/detections.ts'
import type { WantedDetectionLock } from './detections/detections.ts'
import type { DetectionLock } from './detections/detection.ts'
import { detectionNews } from './detections/detection-news.ts'
import type { Clock } from './lib/clock.ts'
import type { LockService } from './locks/lock-service.ts'
import { formatScope, type LockScope } from './locks/scope.ts'
import { createRandomPool } from './lib/random-pool.ts'
import { createUuidV7 } from './lib/uuid-v7.ts'
import type { Notify } from './notify/event.ts'
import type { SightingStore } from './store/sighting-store.ts'
import type { Telemetry } from './telemetry/telemetry.ts'

export interface OpenDetectionsOptions {
  readonly config: Pick<Config, 'detections'>
  readonly store: SightingStore
  readonly clock: Clock
  readonly audit: Pick<Audit, 'changes'>
  readonly events: Pick<Telemetry['events'], 'detectionRaised' | 'detectionLockFailed' | 'faulted'>
  readonly notify: Notify
  readonly locks: Pick<LockService, 'set'>
}

/** Detections, and everybody who is told of them. */
export function openDetections(options: OpenDetectionsOptions): Detections {
  const { config, store, clock, audit, events, notify, locks } = options
  return new Detections(config.detections, {
    store,
    clock,
    newId: createUuidV7(() => clock.nowMs(), createRandomPool()),
    lock: (wanted) => setLock(locks, wanted),
    onRaised(detection) {
      events.detectionRaised(detection)
      audit.changes.detectionRaised(detection)
      notify(detectionNews(detection))
    },
    onLockFailed: events.detectionLockFailed,
    onFault: events.faulted,
  })
}

/** @throws Error where the store has no room for it; rejects where it cannot be reached */
async function setLock(
  locks: Pick<LockService, 'set'>,
  { on, reason, writesOnly, expiresAtMs }: WantedDetectionLock,
): Promise<DetectionLock> {
  const { kind, name, issuer } = on
  const scope: LockScope = kind === 'agent' || kind === 'principal' ? { kind, name, issuer } : { kind, name }
  const author = { kind: 'gateway', part: 'detections' } as const
  const answer = await locks.set({ scope, reason, writesOnly, expiresAtMs }, author)
  if (answer.kind === 'full') throw new Error('there are too many locks')
  return { id: answer.lock.id, scope: formatScope(scope) }
}
