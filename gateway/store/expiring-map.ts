/** How many old entries an insertion looks at, so that cleaning keeps up with filling without ever stopping the world. */
const STEPS = 2
const STEPS_WHEN_FULL = 2_000

/**
 * A bounded map whose entries end by themselves and are never pushed out before: when it is full of live entries,
 * `hasRoom` says so, and the caller fails closed. A replay mark or a spent limit that could be evicted by
 * filling the map with other names would be no protection.
 */
export class ExpiringMap<Value> {
  readonly #entries = new Map<string, Value>()
  readonly #capacity: number
  readonly #endsAt: (value: Value) => number
  readonly #onEnd: (key: string) => void
  #cursor: MapIterator<[string, Value]> | undefined

  /**
   * `endsAt` reads the end of an entry in the unit of the `now` that the methods are given; `onEnd` is told of each
   * entry that is cleaned away.
   */
  constructor(capacity: number, endsAt: (value: Value) => number, onEnd: (key: string) => void = () => {}) {
    this.#capacity = capacity
    this.#endsAt = endsAt
    this.#onEnd = onEnd
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string, now: number): Value | undefined {
    const value = this.#entries.get(key)
    return value === undefined || this.#endsAt(value) <= now ? undefined : value
  }

  /** Whether a new key may be added; ask before `set`. A known key always may. */
  hasRoom(key: string, now: number): boolean {
    if (this.#entries.size < this.#capacity || this.#entries.has(key)) return true
    this.clean(now)
    return this.#entries.size < this.#capacity
  }

  /** Looks for ended entries where more room is wanted than filling makes by itself. */
  clean(now: number): void {
    this.#sweep(STEPS_WHEN_FULL, now)
  }

  set(key: string, value: Value, now: number): void {
    const before = this.#entries.size
    this.#entries.set(key, value)
    // What is there already takes no more room, and makes none.
    if (this.#entries.size > before) this.#sweep(STEPS, now)
  }

  /** Goes on where the last sweep stopped, round and round; never around more than once. */
  #sweep(steps: number, now: number): void {
    for (let left = Math.min(steps, this.#entries.size); left > 0; left--) {
      let next = this.#cursor?.next()
      if (next === undefined || next.done === true) {
        this.#cursor = this.#entries.entries()
        next = this.#cursor.next()
      }
      if (next.done === true) return
      const [key, value] = next.value
      if (this.#endsAt(value) > now) continue
      this.#entries.delete(key)
      this.#onEnd(key)
    }
  }
}
