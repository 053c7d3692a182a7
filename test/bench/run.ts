/**
 * The whole comparison in one command: what people would use instead and the gateway, in turn, on loopback; how it
 * grows; its parts beside their budgets; where its time goes. Ends by itself, and leaves nothing behind.
 *
 *   node test/bench/run.ts [--quick] [--only NAME,…] [--out DIRECTORY] [--resume] [--profile DIRECTORY]
 *
 * A whole run writes RESULTS.md, results.json and pictures beside this file; any other one writes them to the cache
 * folder, or to where `--out` says. `--only` takes parts of the names of rows, the names of the sections `scale`,
 * `parts` and `profile`, and those of single tables of `scale`. `--resume` keeps the sections that a stopped run of the
 * same commit finished.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createWorld } from './compare/world.ts'
import { machineFacts } from './results/machine.ts'
import type { Results } from './results/results.ts'
import { writeResults } from './results/write.ts'
import { SECTIONS } from './sections.ts'

const CACHE = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'toolgate', 'bench')

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    out: { type: 'string' },
    resume: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
})
const only = values.only?.split(',').map((name) => name.trim().toLowerCase())
const form = values.quick ? 'quick' : 'full'
const isWhole = form === 'full' && only === undefined
const directory = values.out ?? (isWhole ? import.meta.dirname : CACHE)

// So that what was started is ended too: every server is, when this process exits.
process.setMaxListeners(0)
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => process.exit(1))

const startedMs = performance.now()
await using world = await createWorld({ profileDirectory: values.profile })
const machine = machineFacts(world.upstreamName)
let results: Results = { form, startedAt: new Date().toISOString(), minutes: 0, machine }
const earlier = values.resume ? await readEarlier() : undefined
const earlierMinutes = earlier?.minutes ?? 0
if (earlier !== undefined) results = earlier
for (const [name, run] of Object.entries(SECTIONS)) {
  if (name in results) continue
  console.log(`\n== ${name}`)
  results = { ...results, ...(await run({ world, form, only })) }
  const minutes = earlierMinutes + (performance.now() - startedMs) / 60_000
  results = { ...results, minutes: Number(minutes.toFixed(2)) }
  await writeResults(directory, results)
}
const found = [
  ...(results.rows ?? []),
  ...(results.scale ?? []),
  ...(results.parts ?? []),
  ...(results.profiles ?? []),
]
if (found.length === 0) throw new Error(`nothing has ${only?.join(' or ') ?? ''} in its name`)
console.log(`\n${results.minutes.toFixed(1)} minutes; ${join(directory, 'RESULTS.md')}`)

/** The results of a run of this commit in this form that did not come to its end; `undefined` when there are none. */
async function readEarlier(): Promise<Results | undefined> {
  const text = await readFile(join(directory, 'results.json'), 'utf8').catch(() => undefined)
  const kept = text === undefined ? undefined : (JSON.parse(text) as Results)
  return kept?.form === form && kept.machine.commit === machine.commit ? kept : undefined
}
