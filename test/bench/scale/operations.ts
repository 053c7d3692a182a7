import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { loadCatalog } from '../../../gateway/catalog/catalog.ts'
import { connectorConfig, connectorNamed } from '../../unit/catalog/catalog-harness.ts'
import { quantile } from '../measure.ts'
import { round } from '../results/figures.ts'
import type { ScaleTable } from '../results/results.ts'
import type { LoopDelay } from './size-turns.ts'

const CONNECTORS = join(import.meta.dirname, '..', '..', '..', 'connectors')
const BATCH = 100
const RESOLUTION_MS = 1

/** Finding an operation among ever more of them, in a connector's folder as a user would have it. */
export async function operations(
  folder: string,
  counts: readonly number[],
  batches: number,
): Promise<ScaleTable> {
  const lines: (string | number)[][] = []
  for (const count of counts) {
    const directory = join(folder, `operations-${String(count)}`)
    await writeConnector(join(directory, 'github'), count)
    const startedMs = performance.now()
    const catalog = loadCatalog({ github: connectorConfig }, directory)
    const loadMs = performance.now() - startedMs
    const github = connectorNamed(catalog, 'github')
    let next = 0
    const find = (): void => {
      next = (next + 7) % count
      const found = catalog.match(github, 'GET', `/things-${String(next)}/zyx/items/991`)
      if (!found.ok) throw new Error(`operation ${String(next)} was not found`)
    }
    for (let warm = 0; warm < 20_000; warm += 1) find()
    const { samplesNs, loopDelay } = await timeInTurns(find, batches)
    const at = (share: number): number => round(quantile(samplesNs, share), 0)
    lines.push([
      count,
      at(0.5),
      at(0.99),
      loopDelay.p99Ms.toFixed(1),
      loopDelay.mostMs.toFixed(1),
      round(loadMs, 0),
    ])
  }
  return {
    name: 'operations',
    title: 'Operations of a connector',
    note:
      `Finding one in the catalogue, every operation in turn, ${String(BATCH)} in each turn of the event loop; percentiles of those. ` +
      'The catalogue is read at the start and with each reload, in one go.',
    columns: [
      'operations',
      'p50 ns',
      'p99 ns',
      'loop held up p99 ms',
      'most',
      'loop held up ms by reading the catalogue',
    ],
    lines,
    finding: undefined,
  }
}

/** Nanoseconds of one `find`, a batch in each turn of the event loop, and by how long that was held up. */
async function timeInTurns(
  find: () => void,
  batches: number,
): Promise<{ readonly samplesNs: number[]; readonly loopDelay: LoopDelay }> {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  const samplesNs: number[] = []
  while (samplesNs.length < batches) {
    const batchMs = performance.now()
    for (let index = 0; index < BATCH; index += 1) find()
    samplesNs.push(((performance.now() - batchMs) / BATCH) * 1e6)
    await turn()
  }
  delay.disable()
  const heldUpMs = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION_MS)
  return { samplesNs, loopDelay: { p99Ms: heldUpMs(delay.percentile(99)), mostMs: heldUpMs(delay.max) } }
}

async function writeConnector(directory: string, count: number): Promise<void> {
  await mkdir(directory, { recursive: true })
  await cp(join(CONNECTORS, 'github', 'connector.yaml'), join(directory, 'connector.yaml'))
  const facts = { risk: 1, dataClass: 'internal', reversible: true }
  // JSON is YAML.
  const overrides = { defaults: { read: facts, write: facts, execute: facts }, rules: [] }
  await writeFile(join(directory, 'overrides.yaml'), JSON.stringify(overrides))
  const published = Array.from({ length: count }, (_none, index) => ({
    id: `things/get-${String(index)}`,
    method: 'GET',
    path: `/things-${String(index)}/{owner}/items/{item}`,
  }))
  const file = { connector: 'github', sources: [], operations: published }
  await writeFile(join(directory, 'operations.json'), JSON.stringify(file))
}
