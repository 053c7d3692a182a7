/** What is counted, and below which tag of the cluster. */
export interface SightingKey {
  /** Hash tag `{tenant}`, encoded. */
  readonly tag: string
  /** Encoded: rule and subject. */
  readonly name: string
  /** Whoever sends anything can make as many of these as there are addresses; they take no room from the others. */
  readonly isProven: boolean
}

export interface SightingBounds {
  readonly threshold: number
  readonly windowMs: number
}

/** What becomes of one sighting. */
export type SightingAnswer =
  /** Too few yet, or something was raised of the same within the window. */
  | { readonly kind: 'counted' }
  | {
      readonly kind: 'raised'
      /** Sightings in the window that led to it. */
      readonly count: number
      /** Sightings since the last time, of which nothing was said. */
      readonly suppressed: number
    }

/**
 * Counts what detections are made of, for the whole fleet where the store is shared. Asked after a call is over, and only
 * for what is suspicious. Both adapters keep this: sightings older than the window do not count; when there are as
 * many as the threshold, that is told once and counting begins anew once the window is over.
 */
export interface SightingStore {
  see(key: SightingKey, bounds: SightingBounds): Promise<SightingAnswer>
  /** Who or what was seen with it first; `value` where nothing was, which is remembered for `ttlMs`. */
  first(key: SightingKey, value: string, ttlMs: number): Promise<string>
}

/** Kept for each subject; as JSON in Redis. */
export interface Sightings {
  /** Until then nothing is raised. */
  readonly quietUntilMs: number
  readonly suppressed: number
  /** At most as many as the threshold. */
  readonly atMs: readonly number[]
}

export const NO_SIGHTINGS: Sightings = { quietUntilMs: 0, suppressed: 0, atMs: [] }

/** The rule of both adapters; `sighting-see.lua` says the same. */
export function addSighting(
  known: Sightings,
  nowMs: number,
  { threshold, windowMs }: SightingBounds,
): { readonly next: Sightings; readonly answer: SightingAnswer } {
  if (nowMs < known.quietUntilMs)
    return { next: { ...known, suppressed: known.suppressed + 1 }, answer: { kind: 'counted' } }
  const atMs = [...known.atMs.filter((each) => each > nowMs - windowMs), nowMs]
  if (atMs.length < threshold) return { next: { ...known, atMs }, answer: { kind: 'counted' } }
  return {
    next: { quietUntilMs: nowMs + windowMs, suppressed: 0, atMs: [] },
    answer: { kind: 'raised', count: atMs.length, suppressed: known.suppressed },
  }
}
