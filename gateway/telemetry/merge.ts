import { AggregatorRegistry } from 'prom-client'

export interface MetricsText {
  readonly contentType: string
  readonly text: string
}

/**
 * One exposition out of several workers' metrics in prom-client's JSON form. Counters and histograms are added;
 * gauges follow their own rule: what must hold everywhere is the least of them, what may happen anywhere the most.
 */
export async function mergeMetrics(workers: readonly (readonly object[])[]): Promise<MetricsText> {
  const merged = AggregatorRegistry.aggregate(workers.map((metrics) => [...metrics]))
  return { contentType: merged.contentType, text: await merged.metrics() }
}
