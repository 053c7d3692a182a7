import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadCatalog } from '../../../gateway/catalog/catalog.ts'
import { connectorConfig, connectorNamed } from '../../unit/catalog/catalog-harness.ts'
import { quantile } from '../measure.ts'
import { round } from '../results/figures.ts'
import type { ScaleTable } from '../results/results.ts'

const CONNECTORS = join(import.meta.dirname, '..', '..', '..', 'connectors')
const BATCH = 100

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
    const samplesNs = Array.from({ length: batches }, () => {
      const batchMs = performance.now()
      for (let index = 0; index < BATCH; index += 1) find()
      return ((performance.now() - batchMs) / BATCH) * 1e6
    })
    const at = (share: number): number => round(quantile(samplesNs, share), 0)
    lines.push([count, at(0.5), at(0.99), round(loadMs, 0)])
  }
  return {
    name: 'operations',
    title: 'Operations of a connector',
    note: `Finding one in the catalogue, every operation in turn; percentiles of batches of ${String(BATCH)}.`,
    columns: ['operations', 'p50 ns', 'p99 ns', 'catalogue read in ms'],
    lines,
    finding: undefined,
  }
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
