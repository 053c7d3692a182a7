import { Counter } from 'prom-client'

/** One series of a counter, found once and kept. */
export interface Counting {
  inc(by?: number): void
}

/**
 * A counter of prom-client whose series can be held: it makes a name of all labels for each count, which on the path of a
 * call costs more than what is counted. What is counted in between is told to it when somebody asks.
 */
export class HeldCounter<Label extends string> extends Counter<Label> {
  readonly #series = new Map<string, HeldCount>()

  /** The series with these values of the labels, in the order of the labels; it is there from its first count on. */
  series(...values: string[]): Counting {
    const key = JSON.stringify(values)
    let series = this.#series.get(key)
    if (series === undefined) {
      series = new HeldCount(this.labels(...values))
      this.#series.set(key, series)
    }
    return series
  }

  override get(): ReturnType<Counter<Label>['get']> {
    for (const series of this.#series.values()) series.tell()
    return super.get()
  }
}

class HeldCount implements Counting {
  readonly #counter: Counter.Internal
  #isShown = false
  #untold = 0

  constructor(counter: Counter.Internal) {
    this.#counter = counter
  }

  inc(by = 1): void {
    // The first makes the series, also where it counts nothing; what is no count is for prom-client to complain of.
    if (this.#isShown && by >= 0 && by < Infinity) {
      this.#untold += by
      return
    }
    this.#counter.inc(by)
    this.#isShown = true
  }

  tell(): void {
    if (this.#untold > 0) this.#counter.inc(this.#untold)
    this.#untold = 0
  }
}
