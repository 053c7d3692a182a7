/** One that is in flight, and where it stands among the others. */
export interface Entry<Call> {
  readonly call: Call
  index: number
}

/**
 * The calls that are in flight, for as long as the process lives.
 *
 * Not a `Set`: V8 makes a set that calls keep entering and leaving a new table every few dozen of them, and the old table
 * keeps what was in it and points to the new one. Once one table has grown old, no young generation collection frees any
 * that follows, nor the calls in them: every call of the process then waits, with all that hangs on it, for the next
 * full collection.
 */
export class InFlight<Call> implements Iterable<Call> {
  readonly #entries: Entry<Call>[] = []

  get size(): number {
    return this.#entries.length
  }

  enter(call: Call): Entry<Call> {
    const entry = { call, index: this.#entries.length }
    this.#entries.push(entry)
    return entry
  }

  /** To leave twice is to leave once. */
  leave(entry: Entry<Call>): void {
    const { index } = entry
    if (this.#entries[index] !== entry) return
    const last = this.#entries.pop()
    if (last === undefined || last === entry) return
    last.index = index
    this.#entries[index] = last
  }

  /** As they are now, in no order; those that leave meanwhile are among them. */
  [Symbol.iterator](): IterableIterator<Call> {
    return this.#entries.map(({ call }) => call).values()
  }
}
