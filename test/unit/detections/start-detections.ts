import type { Config } from '../../../gateway/config/config.ts'
import type { DetectionConfig, DetectionsConfig } from '../../../gateway/config/detections-config.ts'
import type { Detection } from '../../../gateway/detections/detection.ts'
import { Detections, type WantedDetectionLock } from '../../../gateway/detections/detections.ts'
import { DETECTION_NAMES, type DetectionName, ruleOf } from '../../../gateway/detections/rules.ts'
import type { Progress } from '../../../gateway/exchange.ts'
import type { Outcome } from '../../../gateway/outcome.ts'
import { createEmbeddedSightingStore } from '../../../gateway/store/embedded-sighting-store.ts'
import { virtualClock, type VirtualClock } from '../../harness/virtual-clock.ts'

export interface RunningDetections {
  readonly detections: Detections
  readonly clock: VirtualClock
  readonly raised: readonly Detection[]
  readonly locks: readonly WantedDetectionLock[]
  readonly failures: readonly unknown[]
  rules(): readonly DetectionName[]
  /** Tells of calls that ended, and waits until all of it has been looked at. */
  end(...calls: readonly (readonly [Progress, Outcome])[]): Promise<void>
}

export type Changes = Partial<Record<DetectionName, Partial<DetectionConfig>>>

/** Laid over a rule that is to lock. */
export const LOCK = { action: 'lock' } as const

/** Every rule as it is by default, with changes laid over. */
export function detectionsConfig(changes: Changes = {}): Config['detections'] {
  const entries = DETECTION_NAMES.map((name) => {
    const { threshold, windowMs, lock } = ruleOf(name).defaults
    const config: DetectionConfig = {
      action: 'event',
      threshold,
      windowMs,
      lock: { scope: lock, writesOnly: false, forMs: 3_600_000 },
      ...changes[name],
    }
    return [name, config] as const
  })
  return Object.fromEntries(entries) as DetectionsConfig
}

/** Detections with memory, a clock that stands still, and locks that are only written down. */
export function startDetections(changes: Changes = {}, lockFails = false): RunningDetections {
  const clock = virtualClock()
  const raised: Detection[] = []
  const locks: WantedDetectionLock[] = []
  const failures: unknown[] = []
  let made = 0
  const detections = new Detections(detectionsConfig(changes), {
    store: createEmbeddedSightingStore({ clock }),
    clock,
    newId: () => `detection-${String(++made)}`,
    lock: async (wanted) => {
      if (lockFails) throw new Error('no locks today')
      locks.push(wanted)
      return { id: `lock-${String(locks.length)}`, scope: `${wanted.on.kind}:${wanted.on.name}` }
    },
    onRaised: (detection) => void raised.push(detection),
    onLockFailed: (_detection, cause) => void failures.push(cause),
    onFault: (cause) => void failures.push(cause),
  })
  return {
    detections,
    clock,
    raised,
    locks,
    failures,
    rules: () => raised.map(({ rule }) => rule),
    async end(...calls) {
      for (const [call, outcome] of calls) {
        detections.callEnded({ call, outcome, attempted: outcome.upstreamStatus > 0 })
      }
      await detections[Symbol.asyncDispose]()
    },
  }
}
