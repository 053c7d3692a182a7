import { MOST_RECENT_OPERATIONS, RECENT_WINDOW_MS } from './admission-store.ts'

interface Use {
  begunUs: number
  /** When a call that may have reached the upstream ended; 0 for never. */
  usedUs: number
  inFlight: number
}

const RECENT_US = RECENT_WINDOW_MS * 1000
/** Stands for operations that made room for others within their hour; no operation is called so. */
const FORGOTTEN = '*'

/**
 * The operations that one agent used within the last hour. A call counts from its admission, so that of two calls at
 * once the later sees the earlier; it stops counting when it ends without anything having been sent. A call of a
 * process that died counts for an hour from its admission. admit.lua, recall.lua and settle.lua mirror this.
 */
export class RecentOperations {
  readonly #uses = new Map<string, Use>()

  /** The operations before this call, in no order, then counts it. */
  begin(operation: string, nowUs: number): string[] {
    const recent: string[] = []
    for (const [name, use] of this.#uses) {
      if (lastUs(use) > nowUs - RECENT_US) recent.push(name)
      else this.#uses.delete(name)
    }
    const known = this.#uses.get(operation)
    if (known === undefined) {
      this.#makeRoom()
      this.#uses.set(operation, { begunUs: nowUs, usedUs: 0, inFlight: 1 })
    } else {
      known.begunUs = nowUs
      known.inFlight += 1
    }
    return recent
  }

  /** The operations as they are now, for a call of this operation that is in flight and is not to see itself. */
  recall(operation: string, nowUs: number): string[] {
    const recent: string[] = []
    for (const [name, use] of this.#uses) {
      const others = name === operation ? { ...use, inFlight: use.inFlight - 1 } : use
      if (lastUs(others) > nowUs - RECENT_US) recent.push(name)
    }
    return recent
  }

  end(operation: string, forwarded: boolean, nowUs: number): void {
    const known = this.#uses.get(operation)
    if (known === undefined) {
      if (forwarded) this.#uses.set(operation, { begunUs: 0, usedUs: nowUs, inFlight: 0 })
      return
    }
    if (forwarded) known.usedUs = nowUs
    known.inFlight = Math.max(0, known.inFlight - 1)
    if (known.inFlight === 0 && known.usedUs === 0) this.#uses.delete(operation)
  }

  #makeRoom(): void {
    if (this.#uses.size < MOST_RECENT_OPERATIONS) return
    const latestFirst = [...this.#uses]
      .filter(([name]) => name !== FORGOTTEN)
      .sort(([, one], [, other]) => lastUs(other) - lastUs(one))
    let usedUs = this.#uses.get(FORGOTTEN)?.usedUs ?? 0
    for (const [name, use] of latestFirst.slice(MOST_RECENT_OPERATIONS - 1)) {
      this.#uses.delete(name)
      usedUs = Math.max(usedUs, lastUs(use))
    }
    if (usedUs > 0) this.#uses.set(FORGOTTEN, { begunUs: 0, usedUs, inFlight: 0 })
  }
}

function lastUs({ begunUs, usedUs, inFlight }: Use): number {
  return inFlight > 0 ? Math.max(begunUs, usedUs) : usedUs
}
