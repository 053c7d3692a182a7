import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RowResult } from './figures.ts'
import { markdownOf } from './markdown.ts'
import { barChart, rangeChart } from './pictures.ts'
import type { Results } from './results.ts'

/** Few enough for every row that does not itself wait for another service. */
const PACED_PER_SECOND = 300

/** Writes the page, its pictures, and all figures as JSON. */
export async function writeResults(directory: string, results: Results): Promise<void> {
  const pictures = join(directory, 'pictures')
  await mkdir(pictures, { recursive: true })
  await writeFile(join(directory, 'results.json'), `${JSON.stringify(results, undefined, 1)}\n`)
  await writeFile(join(directory, 'RESULTS.md'), markdownOf(results))
  for (const [name, picture] of picturesOf(results.rows ?? [])) await writeFile(join(pictures, name), picture)
}

function picturesOf(rows: readonly RowResult[]): [name: string, picture: string][] {
  const read = rows.filter(({ saturated }) => saturated !== undefined)
  if (read.length === 0) return []
  const bars = read.map((row) => ({ name: row.name, isOurs: row.kind === 'toolgate', of: row.saturated }))
  const ranges = read.flatMap((row) => {
    const figures = row.paced.find(({ perSecond }) => perSecond === PACED_PER_SECOND)
    if (figures === undefined) return []
    const { p50Ms, p90Ms, p99Ms, p999Ms } = figures
    return [{ name: row.name, isOurs: row.kind === 'toolgate', values: [p50Ms, p90Ms, p99Ms, p999Ms] }]
  })
  return [
    [
      'throughput.svg',
      barChart(
        'As many calls as the connections carry',
        'calls a second',
        bars.map(({ name, isOurs, of }) => {
          const value = of?.callsPerSecond ?? 0
          return { name, isOurs, value, label: value.toLocaleString('en') }
        }),
      ),
    ],
    [
      'processor.svg',
      barChart(
        'Processor time of a call, sidecars included',
        'µs',
        bars
          .filter(({ of }) => (of?.processorUs ?? 0) > 0)
          .map(({ name, isOurs, of }) => {
            const value = of?.processorUs ?? 0
            return { name, isOurs, value, label: `${value.toFixed(0)} µs` }
          }),
      ),
    ],
    [
      'latency.svg',
      rangeChart(`Latency at ${String(PACED_PER_SECOND)} calls a second`, 'p50, p90, p99, p99.9', ranges),
    ],
  ]
}
