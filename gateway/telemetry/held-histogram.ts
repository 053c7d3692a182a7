import { Histogram, type HistogramConfiguration, type Registry } from 'prom-client'

/** One series of a histogram, found once and kept. */
export interface Observing {
  observe(value: number): void
}

export interface HeldHistogramOptions<Label extends string> {
  readonly name: string
  readonly help: string
  readonly labelNames: readonly Label[]
  /** Upper bounds, ascending. */
  readonly buckets: number[]
  readonly registers: readonly Registry[]
}

/**
 * A histogram whose series are held by those who observe: an addition in an array, where prom-client makes a name of all
 * labels and looks up the bucket by its number as text. What is shown is what prom-client would show.
 */
export class HeldHistogram<Label extends string> {
  readonly #labelNames: readonly Label[]
  readonly #buckets: readonly number[]
  readonly #held = new Map<string, HeldSeries>()
  /** In the order of their first observations. */
  readonly #shown = new Set<HeldSeries>()

  constructor(options: HeldHistogramOptions<Label>) {
    this.#labelNames = options.labelNames
    this.#buckets = options.buckets
    const values = (): ShownValue[] => [...this.#shown].flatMap((series) => series.values(options.name))
    const shown = new ShownHistogram({ ...options, registers: [] }, values)
    for (const registry of options.registers) registry.registerMetric(shown)
    // Without labels there is but one, which is there from the start.
    if (options.labelNames.length === 0) this.#shown.add(this.#seriesOf([]))
  }

  /** The series with these values of the labels, in the order of the labels; it is there from its first value on. */
  series(...values: string[]): Observing {
    if (values.length !== this.#labelNames.length) throw new RangeError('not as many values as labels')
    return this.#seriesOf(values)
  }

  #seriesOf(values: readonly string[]): HeldSeries {
    const key = JSON.stringify(values)
    let series = this.#held.get(key)
    if (series === undefined) {
      const labels = Object.fromEntries(this.#labelNames.map((name, index) => [name, values[index] ?? '']))
      const made = new HeldSeries(labels, this.#buckets, () => this.#shown.add(made))
      this.#held.set(key, made)
      series = made
    }
    return series
  }
}

/** As prom-client lays it out. */
interface ShownValue {
  readonly metricName: string
  readonly labels: { readonly le?: number | '+Inf' }
  readonly sharedLabels: Readonly<Record<string, string>>
  readonly value: number
  readonly exemplar: null | undefined
}

class HeldSeries implements Observing {
  readonly #labels: Readonly<Record<string, string>>
  readonly #bounds: Float64Array
  readonly #counts: Float64Array
  readonly #onFirst: () => void
  #sum = 0
  #count = 0

  constructor(labels: Readonly<Record<string, string>>, bounds: readonly number[], onFirst: () => void) {
    this.#labels = labels
    this.#bounds = Float64Array.from(bounds)
    this.#counts = new Float64Array(bounds.length)
    this.#onFirst = onFirst
  }

  observe(value: number): void {
    if (!Number.isFinite(value)) throw new TypeError(`not a value to observe: ${value}`)
    if (this.#count === 0) this.#onFirst()
    this.#sum += value
    this.#count += 1
    const bounds = this.#bounds
    for (let index = 0; index < bounds.length; index += 1) {
      if (value <= (bounds[index] as number)) {
        this.#counts[index] = (this.#counts[index] as number) + 1
        return
      }
    }
  }

  values(name: string): ShownValue[] {
    let below = 0
    const buckets = [...this.#bounds].map((le, index) => {
      below += this.#counts[index] as number
      return this.#shown(`${name}_bucket`, { le }, below, null)
    })
    return [
      ...buckets,
      this.#shown(`${name}_bucket`, { le: '+Inf' }, this.#count, null),
      this.#shown(`${name}_sum`, {}, this.#sum),
      this.#shown(`${name}_count`, {}, this.#count),
    ]
  }

  #shown(metricName: string, labels: ShownValue['labels'], value: number, exemplar?: null): ShownValue {
    return { labels, sharedLabels: this.#labels, value, metricName, exemplar }
  }
}

/** What a registry asks; nothing is observed in it. */
class ShownHistogram<Label extends string> extends Histogram<Label> {
  readonly #configuration: HistogramConfiguration<Label>
  readonly #values: () => ShownValue[]

  constructor(configuration: HistogramConfiguration<Label>, values: () => ShownValue[]) {
    super(configuration)
    this.#configuration = configuration
    this.#values = values
  }

  /** Where prom-client takes the values from, for its text as for `get`. */
  getForPromString(): Promise<object> {
    const { name, help } = this.#configuration
    return Promise.resolve({ name, help, type: 'histogram', values: this.#values(), aggregator: 'sum' })
  }
}
