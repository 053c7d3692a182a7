import { startChild } from '../child.ts'
import type { Child } from '../child.ts'
import type { LoadPlan, LoadResult, LoadRun } from '../load/plan.ts'
import { processorMicrosecondsOf, processTree, residentBytesOf } from '../processor-time.ts'
import type { RunningRow } from './row.ts'

/** How long each part of a turn takes. */
export interface Extent {
  /** Before the first turn, at most: a row is warm as soon as it carries no more than a second ago. */
  readonly coldSeconds: number
  readonly warmUpSeconds: number
  readonly saturatedSeconds: number
  readonly pacedSeconds: number
  /** Calls a second that the paced parts begin; one that a row does not carry with room to spare is left out. */
  readonly rates: readonly number[]
  readonly connections: number
}

/** To see that a row answers; too short for a figure. */
export const QUICK_EXTENT: Extent = {
  coldSeconds: 1,
  warmUpSeconds: 0.2,
  saturatedSeconds: 0.3,
  pacedSeconds: 0.3,
  rates: [300],
  connections: 8,
}

/** What one part of a turn saw. */
export interface Seen {
  /** Calls begun a second; `undefined` as many as the connections carried. */
  readonly perSecond: number | undefined
  readonly calls: number
  readonly elapsedMs: number
  readonly latenciesMs: Float64Array
  readonly latenessMs: Float64Array
  /** Processor time of each process of the row, with what it started. */
  readonly processorUs: Readonly<Record<string, number>>
  readonly residentBytes: Readonly<Record<string, number>>
  readonly clientCores: number
}

/** A row is not asked for more than this share of what it carries when saturated: beyond, the queue is what is seen. */
const ROOM = 0.7
/** More than twice what the fastest row carries, to sign for the first seconds of a row that nobody has seen yet. */
const FIRST_GUESS_PER_SECOND = 4_000

/** A second of load that carries this much more than the best so far says that the row is still getting faster. */
const STILL_FASTER = 1.03
/** Seconds without one: compilers work in bursts. */
const STEADY_SECONDS = 3

/**
 * Loads a row until its code is compiled as far as it will be, without which the turns of a slow row would measure a
 * younger program than those of a fast one.
 */
export async function warmUp(row: RunningRow, { coldSeconds, connections }: Extent): Promise<void> {
  await using client = startChild('load/agents-process.ts')
  await client.ask({ ...row.plan, connections, idleConnections: 0 } satisfies LoadPlan)
  let fastest = 0
  for (let second = 0, steady = 0; second < coldSeconds && steady < STEADY_SECONDS; second += 1) {
    const calls = Math.ceil(fastest * 2) || FIRST_GUESS_PER_SECOND
    const carried = throughputOf(await runOnce(client, row, { seconds: 1, perSecond: undefined, calls }))
    steady = carried > fastest * STILL_FASTER ? 0 : steady + 1
    fastest = Math.max(fastest, carried)
  }
}

/** Warm-up, saturation, then each rate, by a client of its own that is gone afterwards. */
export async function takeTurn(row: RunningRow, extent: Extent): Promise<readonly Seen[]> {
  const plan: LoadPlan = { ...row.plan, connections: extent.connections, idleConnections: 0 }
  await using client = startChild('load/agents-process.ts')
  await client.ask(plan)
  const run = (seconds: number, perSecond: number | undefined, expected: number): Promise<Seen> =>
    runOnce(client, row, { seconds, perSecond, calls: Math.ceil(seconds * expected) })
  const warm = await run(extent.warmUpSeconds, undefined, FIRST_GUESS_PER_SECOND)
  // The client is faster now, and so may the row be.
  const saturated = await run(extent.saturatedSeconds, undefined, throughputOf(warm) * 1.5)
  const seen = [saturated]
  for (const rate of extent.rates) {
    if (rate > throughputOf(saturated) * ROOM) continue
    seen.push(await run(extent.pacedSeconds, rate, rate))
  }
  return seen
}

export function throughputOf({ calls, elapsedMs }: Pick<Seen, 'calls' | 'elapsedMs'>): number {
  return (calls / elapsedMs) * 1_000
}

/** One run, with the processor time that the row's processes took meanwhile. */
export async function runOnce(client: Child, { processes }: RunningRow, load: LoadRun): Promise<Seen> {
  await client.ask(load)
  const before = measured(processes, processorMicrosecondsOf)
  const result = (await client.ask({ go: true })) as LoadResult
  const after = measured(processes, processorMicrosecondsOf)
  const isClean = Object.keys(result.statuses).every((status) => status.startsWith('2'))
  if (!isClean) throw new Error(`calls were not let through: ${JSON.stringify(result.statuses)}`)
  const { calls, elapsedMs, latenciesMs, latenessMs, clientCores } = result
  return {
    perSecond: load.perSecond,
    calls,
    elapsedMs,
    latenciesMs,
    latenessMs,
    clientCores,
    processorUs: Object.fromEntries(
      Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)]),
    ),
    residentBytes: measured(processes, residentBytesOf),
  }
}

function measured(processes: RunningRow['processes'], of: (pid: number) => number): Record<string, number> {
  const sums = Object.entries(processes).map(([name, pid]) => {
    const values = processTree(pid).map((member) => of(member))
    return [name, values.reduce((sum, value) => sum + value, 0)] as const
  })
  return Object.fromEntries(sums)
}
