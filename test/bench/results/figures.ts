import type { Compared } from '../compare/compare.ts'
import type { Controls } from '../compare/row.ts'
import type { Seen } from '../compare/turn.ts'
import { quantile } from '../measure.ts'

/** What all turns of a row saw at one rate, times in milliseconds. */
export interface Figures {
  /** Calls begun a second; `undefined` as many as the connections carried. */
  readonly perSecond: number | undefined
  readonly calls: number
  /** Median of the turns, and the least and the most. */
  readonly callsPerSecond: number
  readonly leastPerSecond: number
  readonly mostPerSecond: number
  readonly p50Ms: number
  readonly p90Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  /** Microseconds of processor time for each call, of all processes of the row, and of each. */
  readonly processorUs: number
  readonly processorUsBy: Readonly<Record<string, number>>
  readonly residentMiB: number
  /** Cores that the load client kept busy, and by how much it began late: what says that it was measured instead. */
  readonly clientCores: number
  readonly latenessP99Ms: number
  readonly isClientBound: boolean
}

export interface RowResult {
  readonly name: string
  readonly kind: 'peer' | 'toolgate'
  readonly controls: Controls
  readonly missing: string | undefined
  readonly saturated: Figures | undefined
  readonly paced: readonly Figures[]
}

const BUSY_CORES = 0.9
const LATE_MS = 1

export function rowResultOf({ row, seen, missing }: Compared): RowResult {
  const { name, kind, controls } = row
  const figures = [...Map.groupBy(seen, ({ perSecond }) => perSecond).values()].map((turns) =>
    figuresOf(turns),
  )
  return {
    name,
    kind,
    controls,
    missing,
    saturated: figures.find(({ perSecond }) => perSecond === undefined),
    paced: figures.filter(({ perSecond }) => perSecond !== undefined),
  }
}

export function figuresOf(turns: readonly Seen[]): Figures {
  const calls = sum(turns.map((turn) => turn.calls))
  const latenciesMs = joined(turns.map((turn) => turn.latenciesMs))
  const rates = turns.map((turn) => (turn.calls / turn.elapsedMs) * 1_000)
  const names = Object.keys(turns[0]?.processorUs ?? {})
  const processorUsBy = Object.fromEntries(
    names.map((name) => [name, round(sum(turns.map((turn) => turn.processorUs[name] ?? 0)) / calls, 1)]),
  )
  const perSecond = turns[0]?.perSecond
  const clientCores = Math.max(...turns.map((turn) => turn.clientCores))
  const latenessP99Ms = quantile(joined(turns.map((turn) => turn.latenessMs)), 0.99)
  const isClientBound = perSecond === undefined ? clientCores >= BUSY_CORES : latenessP99Ms > LATE_MS
  return {
    perSecond,
    calls,
    callsPerSecond: Math.round(quantile([...rates], 0.5)),
    leastPerSecond: Math.round(Math.min(...rates)),
    mostPerSecond: Math.round(Math.max(...rates)),
    p50Ms: round(quantile(latenciesMs, 0.5), 3),
    p90Ms: round(quantile(latenciesMs, 0.9), 3),
    p99Ms: round(quantile(latenciesMs, 0.99), 3),
    p999Ms: round(quantile(latenciesMs, 0.999), 3),
    processorUs: round(sum(Object.values(processorUsBy)), 1),
    processorUsBy,
    residentMiB: Math.round(
      Math.max(...turns.map((turn) => sum(Object.values(turn.residentBytes)))) / 1_048_576,
    ),
    clientCores: round(clientCores, 2),
    latenessP99Ms: round(latenessP99Ms, 2),
    isClientBound,
  }
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const whole = new Float64Array(sum(parts.map((part) => part.length)))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}
