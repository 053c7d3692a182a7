import { proveControls } from './prove-controls.ts'
import { takeTurn, warmUp } from './turn.ts'
import type { Extent, Seen } from './turn.ts'
import type { Row, RunningRow, World } from './row.ts'

/** A row with what all its turns saw, or why there is nothing to see. */
export interface Compared {
  readonly row: Row
  readonly seen: readonly Seen[]
  /** Why this row is missing; `undefined` when it is not. */
  readonly missing: string | undefined
}

/**
 * Starts every row and lets them take turns, A B C … A B C …, so that whatever else the machine does falls upon all.
 * A row that cannot be had is missing; one that fails during a turn fails the bench.
 */
export async function compare(
  rows: readonly Row[],
  world: World,
  { extent, rounds }: { readonly extent: Extent; readonly rounds: number },
): Promise<readonly Compared[]> {
  await using stack = new AsyncDisposableStack()
  const started: { row: Row; running: RunningRow | undefined; seen: Seen[]; missing: string | undefined }[] =
    []
  for (const row of rows) {
    const entry = { row, running: undefined as RunningRow | undefined, seen: [], missing: undefined }
    try {
      const running = stack.use(await row.start(world))
      await proveControls(row, running)
      started.push({ ...entry, running })
    } catch (error) {
      console.log(`${row.name}: missing, ${reasonOf(error)}`)
      started.push({ ...entry, missing: reasonOf(error) })
    }
  }
  for (const { running } of started) if (running !== undefined) await warmUp(running, extent)
  for (let round = 1; round <= rounds; round += 1) {
    for (const { row, running, seen } of started) {
      if (running === undefined) continue
      const turn = await takeTurn(running, extent).catch((cause: unknown) => {
        throw new Error(`${row.name} failed in round ${String(round)}`, { cause })
      })
      seen.push(...turn)
      console.log(`round ${String(round)}  ${row.name.padEnd(44)} ${lineOf(turn)}`)
    }
  }
  return started
}

function lineOf([saturated]: readonly Seen[]): string {
  if (saturated === undefined) return ''
  const { calls, elapsedMs, processorUs, clientCores } = saturated
  const us = Object.values(processorUs).reduce((sum, value) => sum + value, 0) / calls
  const perSecond = Math.round((calls / elapsedMs) * 1_000)
  return `${String(perSecond).padStart(6)} /s  ${us.toFixed(0).padStart(4)} µs CPU  client ${clientCores.toFixed(2)} cores`
}

/** First line, with the last one of what a program that did not start had to say. */
function reasonOf(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error)).trim().split('\n')
  const [first = '', last = ''] = [lines[0], lines.length > 1 ? lines.at(-1)?.trim() : '']
  return `${first} ${last}`.trim()
}
