import { join } from 'node:path'
import { compare } from './compare/compare.ts'
import { PEER_ROWS } from './compare/peer-rows.ts'
import type { Row, World } from './compare/row.ts'
import { TOOLGATE_ROWS } from './compare/toolgate-rows.ts'
import { type Extent, QUICK_EXTENT } from './compare/turn.ts'
import { measureParts } from './parts/measure-parts.ts'
import { rowResultOf } from './results/figures.ts'
import { readProfile } from './results/profile.ts'
import type { Results } from './results/results.ts'
import { measureScale } from './scale/scale.ts'

/** What every section of a run is given. */
export interface Order {
  readonly world: World
  readonly form: Results['form']
  /** Lower-case parts of names; `undefined` for all. */
  readonly only: readonly string[] | undefined
}

type Section = (order: Order) => Promise<Partial<Results>>

const CONNECTIONS = 32
const TURNS: Readonly<Record<Results['form'], { readonly extent: Extent; readonly rounds: number }>> = {
  full: {
    rounds: 3,
    extent: {
      coldSeconds: 10,
      warmUpSeconds: 0.7,
      saturatedSeconds: 1.5,
      pacedSeconds: 1.2,
      rates: [300, 1_000, 3_000],
      connections: CONNECTIONS,
    },
  },
  quick: { rounds: 1, extent: { ...QUICK_EXTENT, connections: CONNECTIONS } },
}
const PROFILED = new Set(['Toolgate mTLS embedded flushed', 'Toolgate DPoP redis flushed'])
const HOTTEST = 12

/** In the order in which they run, by the member of the results that they fill. */
export const SECTIONS: Readonly<Record<'rows' | 'scale' | 'parts' | 'profiles', Section>> = {
  async rows({ world, form, only }) {
    const rows = wantedRows(form, only)
    if (rows.length === 0) return {}
    const compared = await compare(rows, world, TURNS[form])
    return { rows: compared.map((row) => rowResultOf(row)) }
  },

  async scale({ world, form, only }) {
    const isWanted = (name: string): boolean => isNamed(only, 'scale') || isNamed(only, name)
    const scale = await measureScale(world, form, isWanted)
    return scale.length === 0 ? {} : { scale }
  },

  async parts({ world, form, only }) {
    return isNamed(only, 'parts') ? { parts: await measureParts(world.folder, form === 'quick') } : {}
  },

  /** After the figures are taken: a process that is profiled is slower. */
  async profiles({ world, form, only }) {
    if (!isNamed(only, 'profile')) return {}
    const profiles = []
    const profiled = TOOLGATE_ROWS.filter(({ name }) => PROFILED.has(name))
    for (const row of form === 'full' ? profiled : profiled.slice(0, 1)) {
      const profileDirectory = join(world.folder, `profile-${String(profiles.length)}`)
      // All of it is one turn, so that most of what is seen is a gateway that is warm.
      const extent = { ...TURNS[form].extent, saturatedSeconds: form === 'full' ? 8 : 1, rates: [] }
      await compare([row], { ...world, profileDirectory }, { extent, rounds: 1 })
      profiles.push({ row: row.name, ...readProfile(profileDirectory, HOTTEST) })
    }
    return { profiles }
  },
}

function wantedRows(form: Results['form'], only: Order['only']): Row[] {
  return [...PEER_ROWS, ...TOOLGATE_ROWS].filter(({ name, isLong = false }) =>
    only === undefined
      ? !(isLong && form === 'quick')
      : only.some((part) => name.toLowerCase().includes(part)),
  )
}

function isNamed(only: Order['only'], section: string): boolean {
  return only === undefined || only.includes(section)
}
