/** One family in prom-client's JSON form, as far as it is read here. */
interface Family {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly values: readonly Sample[]
}

interface Sample {
  readonly value: number
  readonly labels: Readonly<Record<string, string | number>>
  /** Of a histogram or summary: with its suffix. */
  readonly metricName?: string
}

interface LabelPair {
  readonly name: string
  readonly value: string
}

/**
 * Metric families as OPA puts them into a status report: the JSON form of Prometheus' `MetricFamily`, in which 64-bit
 * integers are texts.
 *
 * @see https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
 */
export function metricFamilies(metrics: readonly object[]): Readonly<Record<string, unknown>> {
  const families: Record<string, unknown> = {}
  for (const { name, help, type, values } of metrics as readonly Family[]) {
    // JSON has no NaN, and a family without series is none.
    const known = values.filter(({ value }) => Number.isFinite(value))
    if (known.length > 0) {
      families[name] = { name, help, type: type.toUpperCase(), metric: metricsOf(type, known) }
    }
  }
  return families
}

function metricsOf(type: string, values: readonly Sample[]): readonly unknown[] {
  if (type !== 'histogram') {
    return values.map(({ value, labels }) => ({ ...labelsOf(labels), [type]: { value } }))
  }
  const series = Map.groupBy(values, ({ labels }) => JSON.stringify(pairsOf(labels)))
  return [...series.values()].map((samples) => ({
    ...labelsOf(samples[0]?.labels ?? {}),
    histogram: histogramOf(samples),
  }))
}

function histogramOf(samples: readonly Sample[]): unknown {
  const single = (suffix: string): number =>
    samples.find(({ metricName }) => metricName?.endsWith(suffix) === true)?.value ?? 0
  return {
    sampleCount: String(single('_count')),
    sampleSum: single('_sum'),
    bucket: samples
      .filter(({ labels }) => typeof labels['le'] === 'number')
      .map(({ value, labels }) => ({ cumulativeCount: String(value), upperBound: labels['le'] })),
  }
}

function labelsOf(labels: Sample['labels']): { label?: readonly LabelPair[] } {
  const pairs = pairsOf(labels)
  return pairs.length === 0 ? {} : { label: pairs }
}

/** `le` is not a label of the series but of its bucket. */
function pairsOf(labels: Sample['labels']): readonly LabelPair[] {
  return Object.entries(labels)
    .filter(([name]) => name !== 'le')
    .map(([name, value]) => ({ name, value: String(value) }))
}
