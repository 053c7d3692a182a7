import type { Clock } from '../lib/clock.ts'
import { ExpiringMap } from './expiring-map.ts'
import { addSighting, NO_SIGHTINGS, type Sightings, type SightingStore } from './sighting-store.ts'

/** Subjects with sightings, and tokens and keys that were seen; of addresses so many, too. */
const CAPACITY = 20_000

interface Kept<Value> {
  readonly value: Value
  readonly endsAtMs: number
}

/**
 * Sightings of one process in its own memory. Where it is full of live subjects, a new one is not counted: what is there
 * is worth more, and nobody can push it out by making up others.
 */
export function createEmbeddedSightingStore({
  clock,
  capacity = CAPACITY,
}: {
  readonly clock: Pick<Clock, 'nowMs'>
  readonly capacity?: number
}): SightingStore {
  const map = <Value>() => new ExpiringMap<Kept<Value>>(capacity, ({ endsAtMs }) => endsAtMs)
  const proven = map<Sightings>()
  const unproven = map<Sightings>()
  const seen = map<string>()
  return {
    async see({ tag, name, isProven }, bounds) {
      const sightings = isProven ? proven : unproven
      const nowMs = clock.nowMs()
      const key = `${tag}:${name}`
      if (!sightings.hasRoom(key, nowMs)) return { kind: 'counted' }
      const { next, answer } = addSighting(sightings.get(key, nowMs)?.value ?? NO_SIGHTINGS, nowMs, bounds)
      // Once it is quiet no longer, what was suppressed is told with the next that is raised.
      sightings.set(key, { value: next, endsAtMs: nowMs + bounds.windowMs * 2 }, nowMs)
      return answer
    },
    async first({ tag, name }, value, ttlMs) {
      const nowMs = clock.nowMs()
      const key = `${tag}:${name}`
      const known = seen.get(key, nowMs)
      if (known !== undefined) return known.value
      if (seen.hasRoom(key, nowMs)) seen.set(key, { value, endsAtMs: nowMs + ttlMs }, nowMs)
      return value
    },
  }
}
