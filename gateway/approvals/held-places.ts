/** A place that a held call has; left exactly once. */
export interface HeldPlace extends Disposable {
  /** Aborted when held calls are ended so that the gateway can shut down. */
  readonly signal: AbortSignal
}

export interface HeldPlacesOptions {
  /** How many there are; with none no call is held. */
  readonly most: number
  /** Told of a call that is not held because all are taken. */
  readonly onFull: () => void
}

/** Calls that wait for people with their connection open: so many at most, and all are ended at once by a drain. */
export class HeldPlaces {
  readonly most: number
  readonly #onFull: () => void
  readonly #ended = new AbortController()
  #taken = 0

  constructor({ most, onFull }: HeldPlacesOptions) {
    this.most = most
    this.#onFull = onFull
  }

  get taken(): number {
    return this.#taken
  }

  /** `undefined` where all are taken, or no call is held any more. */
  take(): HeldPlace | undefined {
    const { signal } = this.#ended
    if (signal.aborted) return undefined
    if (this.#taken >= this.most) {
      if (this.most > 0) this.#onFull()
      return undefined
    }
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
