import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { PEER_ROWS } from '../../bench/compare/peer-rows.ts'
import { TOOLGATE_ROWS } from '../../bench/compare/toolgate-rows.ts'
import { goalsOf } from '../../bench/results/goals.ts'
import type { Results } from '../../bench/results/results.ts'
import { writeResults } from '../../bench/results/write.ts'
import { temporaryDirectory } from '../../harness/temporary-directory.ts'

const BENCH = join(import.meta.dirname, '../../bench')
const PAGE = 'RESULTS.md'
const FILES = [PAGE, 'pictures/throughput.svg', 'pictures/processor.svg', 'pictures/latency.svg']

const textOf = (directory: string, file: string): Promise<string> => readFile(join(directory, file), 'utf8')
const results = JSON.parse(await textOf(BENCH, 'results.json')) as Results

it('the page and the pictures say what the run saw, and nothing by hand', async () => {
  await using folder = await temporaryDirectory()
  await writeResults(folder.path, results)
  for (const file of FILES) expect(await textOf(folder.path, file)).toBe(await textOf(BENCH, file))
})

it('a goal that is not met stands beside the profile and the floor', async () => {
  const page = await textOf(BENCH, PAGE)
  const unmet = goalsOf(results).filter(({ isMet }) => isMet === false)
  for (const { goal, wanted, seen } of unmet)
    expect(page).toContain(`| ${goal} | ${wanted} | ${seen} | **not met** |`)
  expect(page.match(/\*\*not met\*\*/g) ?? []).toHaveLength(unmet.length)
  expect(page).toContain('\n## Where the processor time goes\n')
  expect(page).toContain('\n## The floor\n')
})

it('every row and every table of a whole run is there', () => {
  const { form, rows = [], scale = [], parts = [], profiles = [] } = results
  expect(form).toBe('full')
  expect(rows.map(({ name }) => name)).toEqual([...PEER_ROWS, ...TOOLGATE_ROWS].map(({ name }) => name))
  expect([scale.length, parts.length, profiles.length]).toEqual([6, 9, 2])
  for (const { columns } of scale) expect(columns.join()).toContain('loop held up')
})
