import { startChild } from '../child.ts'
import { startToolgate } from '../compare/toolgate.ts'
import { runOnce } from '../compare/turn.ts'
import type { World } from '../compare/row.ts'
import type { LoadPlan } from '../load/plan.ts'
import { residentBytesOf } from '../processor-time.ts'
import { figuresOf, round } from '../results/figures.ts'
import type { ScaleTable } from '../results/results.ts'
import { openFilesLimit, OTHER_FILES } from './open-files.ts'
import { loopDelayOf } from './size-turns.ts'

const CONNECTIONS = 32
const PER_SECOND = 1_000

/** The same calls beside ever more connections that are open and say nothing. */
export async function idleConnections(
  world: World,
  counts: readonly number[],
  seconds: number,
): Promise<ScaleTable> {
  const most = openFilesLimit() - OTHER_FILES - CONNECTIONS
  const lines: (string | number)[][] = []
  for (const count of counts) {
    if (count > most) {
      lines.push([count, `more than the ${String(openFilesLimit())} files that a process may open here`])
      continue
    }
    await using gateway = await startToolgate(
      {
        binding: 'dpop',
        store: 'embedded',
        access: 'read',
        durability: 'flushed',
        workers: 1,
        listen: { maxConnections: count + CONNECTIONS },
      },
      world,
    )
    const pid = gateway.processes['toolgate'] ?? 0
    const run = async (idle: number): Promise<{ cells: (string | number)[]; resident: number }> => {
      const plan: LoadPlan = { ...gateway.plan, connections: CONNECTIONS, idleConnections: idle }
      await using client = startChild('load/agents-process.ts')
      await client.ask(plan)
      await loopDelayOf(gateway)
      const load = { seconds, perSecond: PER_SECOND, calls: PER_SECOND * seconds }
      const figures = figuresOf([await runOnce(client, gateway, load)])
      const delay = await loopDelayOf(gateway)
      const { processorUs, p50Ms, p99Ms } = figures
      const cells = [round(processorUs, 0), p50Ms.toFixed(2), p99Ms.toFixed(2), delay.mostMs.toFixed(1)]
      return { cells, resident: residentBytesOf(pid) }
    }
    // Warm, and what it has resident without them.
    const without = await run(0)
    const { cells, resident } = await run(count)
    const each = count === 0 ? '–' : round((resident - without.resident) / count / 1_024, 1)
    lines.push([count, ...cells, each])
  }
  return {
    name: 'idle-connections',
    title: 'Connections that say nothing',
    note: `DPoP, ${PER_SECOND.toLocaleString('en')} calls a second on ${String(CONNECTIONS)} other connections meanwhile.`,
    columns: ['idle', 'CPU µs/call', 'p50 ms', 'p99 ms', 'loop held up ms, most', 'KiB each'],
    lines,
    finding: undefined,
  }
}
