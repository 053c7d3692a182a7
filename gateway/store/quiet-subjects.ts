import { ExpiringMap } from './expiring-map.ts'

/** Subjects that are quiet at once; sightings of more go to the store one by one. */
const CAPACITY = 20_000

interface Quiet {
  readonly untilMs: number
  /** Longer than it is quiet: what was missed is told to the store with the next sighting. */
  readonly endsAtMs: number
  missed: number
}

/**
 * Subjects of which the store said that nothing is raised before some time. Until then a sighting can change nothing but a
 * number, and whoever floods the gateway must not cost the store a trip for each of its calls: they are counted here.
 */
export class QuietSubjects {
  readonly #known: ExpiringMap<Quiet>

  constructor(capacity = CAPACITY) {
    this.#known = new ExpiringMap<Quiet>(capacity, ({ endsAtMs }) => endsAtMs)
  }

  /** Counts a sighting of a quiet subject; `false` where it is not known to be quiet, and the store has to be asked. */
  swallow(subject: string, nowMs: number): boolean {
    const quiet = this.#known.get(subject, nowMs)
    if (quiet === undefined || quiet.untilMs <= nowMs) return false
    quiet.missed += 1
    return true
  }

  /** How many the store was not told of. */
  missed(subject: string, nowMs: number): number {
    return this.#known.get(subject, nowMs)?.missed ?? 0
  }

  /** So many of those it has been told of by now. */
  told(subject: string, nowMs: number, missed: number): void {
    const quiet = this.#known.get(subject, nowMs)
    if (quiet !== undefined) quiet.missed -= missed
  }

  /** Nothing is raised of the subject for so long; `keptForMs` more, what was missed is remembered. */
  hush(subject: string, nowMs: number, { forMs, keptForMs }: { forMs: number; keptForMs: number }): void {
    if (forMs <= 0 || !this.#known.hasRoom(subject, nowMs)) return
    const missed = this.#known.get(subject, nowMs)?.missed ?? 0
    this.#known.set(subject, { untilMs: nowMs + forMs, endsAtMs: nowMs + forMs + keptForMs, missed }, nowMs)
  }
}
