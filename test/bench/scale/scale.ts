import type { World } from '../compare/row.ts'
import { QUICK_EXTENT } from '../compare/turn.ts'
import type { Results, ScaleName, ScaleTable } from '../results/results.ts'
import { agentsInCounters, agentsInData } from './agents.ts'
import type { Turns } from './agents.ts'
import { bodies } from './bodies.ts'
import { heldCalls } from './held-calls.ts'
import { idleConnections } from './idle-connections.ts'
import { operations } from './operations.ts'

interface Sizes {
  readonly turns: Turns
  readonly agents: readonly number[]
  readonly operations: readonly number[]
  readonly batches: number
  readonly bodies: readonly (readonly [name: string, bytes: number])[]
  readonly idle: readonly number[]
  readonly held: readonly number[]
  readonly heldSeconds: number
  readonly seconds: number
}

const SIZES: Readonly<Record<Results['form'], Sizes>> = {
  full: {
    turns: {
      rounds: 3,
      extent: {
        coldSeconds: 8,
        warmUpSeconds: 0.7,
        saturatedSeconds: 2,
        pacedSeconds: 1.5,
        rates: [300],
        connections: 32,
      },
    },
    agents: [10, 1_000, 100_000],
    operations: [10, 500, 5_000],
    batches: 2_000,
    bodies: [
      ['1 KiB', 1_024],
      ['64 KiB', 65_536],
      ['1 MiB', 1_048_576],
      ['64 MiB', 67_108_864],
      ['1 GiB', 1_073_741_824],
    ],
    idle: [0, 1_000, 10_000],
    held: [0, 1_000, 10_000],
    heldSeconds: 10,
    seconds: 2,
  },
  quick: {
    turns: { rounds: 1, extent: QUICK_EXTENT },
    agents: [10, 1_000],
    operations: [10, 5_000],
    batches: 50,
    bodies: [
      ['1 KiB', 1_024],
      ['64 MiB', 67_108_864],
    ],
    idle: [1_000],
    held: [200],
    heldSeconds: 1,
    seconds: 0.3,
  },
}

/** In the order in which they run. */
const TABLES: Readonly<Record<ScaleName, (world: World, sizes: Sizes) => Promise<ScaleTable>>> = {
  'agents-in-data': (world, { agents, turns }) => agentsInData(world, agents, turns),
  'agents-in-counters': (world, { agents, turns }) => agentsInCounters(world, agents, turns),
  operations: (world, sizes) => operations(world.folder, sizes.operations, sizes.batches),
  bodies: (world, sizes) => bodies(world, sizes.bodies, sizes.seconds),
  'idle-connections': (world, { idle, seconds }) => idleConnections(world, idle, seconds),
  'held-calls': (world, { held, heldSeconds }) => heldCalls(world, held, heldSeconds),
}

/** How what a call costs grows with what there is; only the tables that `isWanted`. */
export async function measureScale(
  world: World,
  form: Results['form'],
  isWanted: (name: string) => boolean,
): Promise<ScaleTable[]> {
  const tables: ScaleTable[] = []
  for (const [name, measure] of Object.entries(TABLES)) {
    if (!isWanted(name)) continue
    const table = await measure(world, SIZES[form])
    tables.push(table)
    console.log(table.title)
    for (const line of table.lines)
      console.log(`  ${line.map((cell) => String(cell).padStart(10)).join(' ')}`)
  }
  return tables
}
