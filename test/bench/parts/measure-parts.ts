import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PartFigure } from '../results/results.ts'
import { BUDGETS } from './budgets.ts'

const ROOT = join(import.meta.dirname, '..', '..', '..')
const LONGEST_MS = 180_000

/** What Vitest writes of a bench, as far as it is read here; times in milliseconds. */
interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly benchmarks: readonly { readonly tasks: readonly Task[] }[]
    }[]
  }[]
}

interface Task {
  /** Whole, where the title of its test is shortened. */
  readonly name: string
  readonly latency: { readonly p50: number; readonly p99: number; readonly samplesCount: number }
}

/** Runs `vitest bench` on parts.bench.ts and holds each figure against its budget. */
export async function measureParts(folder: string, isShort: boolean): Promise<PartFigure[]> {
  const file = join(folder, 'parts.json')
  const program = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')
  const config = ['--config', 'test/bench/vitest.config.ts', '--reporter=default', '--reporter=json']
  const vitest = spawn(
    process.execPath,
    [program, 'bench', '--run', ...config, `--outputFile.json=${file}`],
    {
      cwd: ROOT,
      stdio: 'inherit',
      timeout: LONGEST_MS,
      killSignal: 'SIGKILL',
      env: { ...process.env, BENCH_SHORT: isShort ? '1' : '' },
    },
  )
  const [code] = (await once(vitest, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`vitest bench ended with ${String(code)}`)
  const report = JSON.parse(await readFile(file, 'utf8')) as Report
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults)
  const tasks = tests.flatMap(({ benchmarks }) => benchmarks.flatMap((benchmark) => benchmark.tasks))
  return Object.entries(BUDGETS).map(([name, { budgetUs, calls }]) => {
    const latency = tasks.find((task) => task.name === name)?.latency
    if (latency === undefined) throw new Error(`vitest bench says nothing of "${name}"`)
    const microseconds = (ms: number): number => Number(((ms * 1_000) / calls).toFixed(3))
    return {
      name,
      budgetUs,
      p50Us: microseconds(latency.p50),
      p99Us: microseconds(latency.p99),
      samples: latency.samplesCount,
    }
  })
}
