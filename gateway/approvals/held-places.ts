/** A place that a held call has; left exactly once. */
export interface HeldPlace extends Disposable {
  /** Aborted when held calls are ended so that the gateway can shut down. */
  readonly signal: AbortSignal
}

/** Calls that wait for people with their connection open: so many at most, and all are ended at once by a drain. */
export class HeldPlaces {
  readonly #ended = new AbortController()
  #taken = 0

  get taken(): number {
    return this.#taken
  }

  /** `undefined` where `most` are taken, or no call is held any more. */
  take(most: number): HeldPlace | undefined {
    const { signal } = this.#ended
    if (signal.aborted || this.#taken >= most) return undefined
    this.#taken += 1
    let left = false
    return {
      signal,
      [Symbol.dispose]: () => {
        if (!left) this.#taken -= 1
        left = true
      },
    }
  }

  /** Ends the calls that are held, and holds no further one. */
  end(): void {
    this.#ended.abort()
  }
}
