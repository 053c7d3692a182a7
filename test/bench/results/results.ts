import type { RowResult } from './figures.ts'
import type { MachineFacts } from './machine.ts'
import type { HotArea, HotFunction } from './profile.ts'

/** All that one run found, as it stands in the JSON file. */
export interface Results {
  /** Short runs are too short for a figure to be kept. */
  readonly form: 'full' | 'quick'
  readonly startedAt: string
  readonly minutes: number
  readonly machine: MachineFacts
  readonly rows?: readonly RowResult[]
  readonly scale?: readonly ScaleTable[]
  readonly parts?: readonly PartFigure[]
  readonly profiles?: readonly ProfileOfRow[]
}

/** How something grows: one line for each size. */
export interface ScaleTable {
  readonly name: ScaleName
  readonly title: string
  readonly note: string
  readonly columns: readonly string[]
  readonly lines: readonly (readonly (string | number)[])[]
  /** The one number that a goal is about; `undefined` where there is no goal. */
  readonly finding: number | undefined
}

export type ScaleName =
  'agents-in-data' | 'agents-in-counters' | 'operations' | 'bodies' | 'idle-connections' | 'held-calls'

/** One part on its own, beside what DESIGN §15 grants it. */
export interface PartFigure {
  readonly name: string
  readonly budgetUs: number
  readonly p50Us: number
  readonly p99Us: number
  readonly samples: number
}

export interface ProfileOfRow {
  readonly row: string
  readonly hottest: readonly HotFunction[]
  readonly areas: readonly HotArea[]
}
