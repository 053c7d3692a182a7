/**
 * Runs the benches of single parts one after another, each in a process of its own, and fails when one of them fails or
 * does not end.
 *
 *   node test/bench/each.ts [NAME...]
 *
 * `BENCH_SHORT=1` does a twentieth of the work: enough to see that every bench still runs, too little for a figure.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { isShort } from './measure.ts'

const BENCHES = [
  'startup',
  'identity',
  'catalog',
  'policy',
  'decision-log',
  'admit',
  'audit',
  'audit-query',
  'forward',
  'redact',
] as const
const LONGEST_MS = isShort ? 120_000 : 600_000

async function runBench(name: string): Promise<boolean> {
  const startedMs = performance.now()
  console.log(`\n== ${name}`)
  const bench = spawn(process.execPath, [join(import.meta.dirname, `${name}.ts`)], {
    stdio: 'inherit',
    timeout: LONGEST_MS,
    killSignal: 'SIGKILL',
  })
  const [code, signal] = (await once(bench, 'exit')) as [number | null, NodeJS.Signals | null]
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1)
  console.log(code === 0 ? `${seconds} s` : `${name} failed after ${seconds} s (${String(signal ?? code)})`)
  return code === 0
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !BENCHES.some((bench) => bench === name))
if (unknown.length > 0) throw new TypeError(`no bench ${unknown.join(', ')}; there are ${BENCHES.join(', ')}`)
const failed: string[] = []
for (const name of wanted.length > 0 ? wanted : BENCHES) {
  if (!(await runBench(name))) failed.push(name)
}
if (failed.length > 0) process.exitCode = 1
