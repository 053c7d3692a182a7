import type { Extent } from '../compare/turn.ts'
import { startToolgate } from '../compare/toolgate.ts'
import type { Scenario } from '../compare/toolgate.ts'
import type { World } from '../compare/row.ts'
import type { ScaleTable } from '../results/results.ts'
import { policyWithAgents } from './many-agents.ts'
import { SIZED_COLUMNS, sizedLine, takeSizedTurns } from './size-turns.ts'
import type { Sized } from './size-turns.ts'

export interface Turns {
  readonly extent: Extent
  readonly rounds: number
}

const MTLS: Scenario = {
  binding: 'mtls',
  store: 'embedded',
  access: 'read',
  durability: 'flushed',
  workers: 1,
}

/** The same calls with ever more agents in the data of the policy. */
export async function agentsInData(
  world: World,
  counts: readonly number[],
  turns: Turns,
): Promise<ScaleTable> {
  await using stack = new AsyncDisposableStack()
  const all: Sized[] = []
  for (const count of counts) {
    const policy = await policyWithAgents(world.folder, count)
    const gateway = stack.use(await startToolgate({ ...MTLS, policy }, world))
    all.push({ size: count.toLocaleString('en'), gateway })
  }
  const figures = await takeSizedTurns(all, turns)
  const [first, last] = [figures[0]?.saturated.processorUs ?? 0, figures.at(-1)?.saturated.processorUs ?? 0]
  return {
    name: 'agents-in-data',
    title: 'Agents in the data of the policy',
    note: 'mTLS-bound token, embedded store; the same fifty tokens call every time.',
    columns: ['agents', ...SIZED_COLUMNS],
    lines: figures.map(sizedLine),
    finding: last / first - 1,
  }
}

/** Ever more agents that call, each with a token, and counters, of its own. */
export async function agentsInCounters(
  world: World,
  counts: readonly number[],
  turns: Turns,
): Promise<ScaleTable> {
  const most = Math.max(...counts)
  const policy = await policyWithAgents(world.folder, most)
  const lines: (readonly (string | number)[])[] = []
  for (const store of ['embedded', 'redis'] as const) {
    for (const agents of counts) {
      const claimsOf = (index: number): object => ({ client_id: `agent-${String(index)}` })
      const scenario: Scenario = { ...MTLS, store, agents, claimsOf, policy }
      await using gateway = await startToolgate(scenario, world)
      const size = `${agents.toLocaleString('en')}, ${store}`
      const [figures] = await takeSizedTurns([{ size, gateway }], { ...turns, rounds: 1 })
      if (figures !== undefined) lines.push([...sizedLine(figures), figures.saturated.residentMiB])
    }
  }
  return {
    name: 'agents-in-counters',
    title: 'Agents that call',
    note:
      'mTLS-bound tokens, one for each agent, called in turn: beyond some thousands every call brings a token that is in no ' +
      'cache, and the counters of an agent nobody saw for a while.',
    columns: ['agents, store', ...SIZED_COLUMNS, 'MiB'],
    lines,
    finding: undefined,
  }
}
