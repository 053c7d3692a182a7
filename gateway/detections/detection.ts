import type { DetectionName, Severity } from './rules.ts'
import type { Seen, Subject } from './sighting.ts'

/** What was raised: on record, told to people, and perhaps the reason for a lock. */
export interface Detection {
  /** UUIDv7 */
  readonly id: string
  readonly rule: DetectionName
  readonly severity: Severity
  readonly subject: Subject
  /** Of the call that made it enough. */
  readonly seen: Seen
  readonly detail: string
  /** Sightings in the window that led to it. */
  readonly count: number
  /** Sightings since the one before, of which nothing was said. */
  readonly suppressed: number
  readonly windowMs: number
  readonly atMs: number
  readonly lock: DetectionLock | undefined
}

/** What came of locking. */
export interface DetectionLock {
  /** As a person would write it: `token:01a2…`. */
  readonly scope: string
  /** Empty where it could not be set. */
  readonly id: string
}
