import type { DetectionName, LockTarget } from '../detections/rules.ts'

/** What becomes of each thing that is looked out for. */
export type DetectionsConfig = Readonly<Record<DetectionName, DetectionConfig>>

export interface DetectionConfig {
  /** `lock` is an event, too. */
  readonly action: 'off' | 'event' | 'lock'
  /** So often in the window before anything is raised. */
  readonly threshold: number
  /** As long nothing is raised again of the same subject. */
  readonly windowMs: number
  readonly lock: {
    readonly scope: LockTarget
    /** Leaves reads alone. */
    readonly writesOnly: boolean
    readonly forMs: number
  }
}
