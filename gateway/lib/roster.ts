/** One that is on a roster, and where it stands there. */
export interface Entry<Member> {
  readonly member: Member
  index: number
}

/**
 * Who is here now, such as the calls in flight, of many that enter and leave for as long as the process lives.
 *
 * Not a `Set` or `Map`: V8 makes one that is entered and left all the time a new table every few dozen members, and the
 * old table keeps what was in it and points to the new one. Once one table has grown old, no young generation collection
 * frees any that follows, nor the members in them: every call then waits, with all that hangs on it, for the next full
 * collection. Nor a `WeakMap`: a young generation collection keeps its values, whether or not anybody has the key.
 */
export class Roster<Member> implements Iterable<Member> {
  readonly #entries: Entry<Member>[] = []

  get size(): number {
    return this.#entries.length
  }

  enter(member: Member): Entry<Member> {
    const entry = { member, index: this.#entries.length }
    this.#entries.push(entry)
    return entry
  }

  /** To leave twice is to leave once. */
  leave(entry: Entry<Member>): void {
    const { index } = entry
    if (this.#entries[index] !== entry) return
    const last = this.#entries.pop()
    if (last === undefined || last === entry) return
    last.index = index
    this.#entries[index] = last
  }

  /** As they are now, in no order; those that leave meanwhile are among them. */
  [Symbol.iterator](): IterableIterator<Member> {
    return this.#entries.map(({ member }) => member).values()
  }
}
