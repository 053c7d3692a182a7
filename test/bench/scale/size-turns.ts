import { takeTurn, warmUp } from '../compare/turn.ts'
import type { Extent, Seen } from '../compare/turn.ts'
import type { RunningToolgate } from '../compare/toolgate.ts'
import { figuresOf, round } from '../results/figures.ts'
import type { Figures } from '../results/figures.ts'

/** A gateway of one size, running. */
export interface Sized {
  readonly size: string
  readonly gateway: RunningToolgate
}

export interface SizedFigures {
  readonly size: string
  readonly saturated: Figures
  /** At the one rate that was asked for; `undefined` when the machine did not carry it. */
  readonly paced: Figures | undefined
  readonly loopDelay: LoopDelay
}

/** By how long the event loop of the gateway was held up, as its own metrics tell. */
export interface LoopDelay {
  readonly p99Ms: number
  readonly mostMs: number
}

/** What the histogram of Node adds to every sample: how often it looks. */
const RESOLUTION_MS = 10

/** All sizes in turn, so that whatever else the machine does falls upon all. */
export async function takeSizedTurns(
  all: readonly Sized[],
  { extent, rounds }: { readonly extent: Extent; readonly rounds: number },
): Promise<SizedFigures[]> {
  const seenBy = all.map((sized) => ({ ...sized, seen: [] as Seen[], delays: [] as LoopDelay[] }))
  for (const { gateway } of all) await warmUp(gateway, extent)
  for (let round = 0; round < rounds; round += 1) {
    for (const { gateway, seen, delays } of seenBy) {
      // Each look begins the next one.
      await loopDelayOf(gateway)
      seen.push(...(await takeTurn(gateway, extent)))
      delays.push(await loopDelayOf(gateway))
    }
  }
  return seenBy.map(({ size, seen, delays }) => {
    const paced = seen.filter(({ perSecond }) => perSecond !== undefined)
    return {
      size,
      saturated: figuresOf(seen.filter(({ perSecond }) => perSecond === undefined)),
      paced: paced.length === 0 ? undefined : figuresOf(paced),
      loopDelay: {
        p99Ms: Math.max(...delays.map(({ p99Ms }) => p99Ms)),
        mostMs: Math.max(...delays.map(({ mostMs }) => mostMs)),
      },
    }
  })
}

/** Since the last look at it. */
export async function loopDelayOf(gateway: Pick<RunningToolgate, 'adminPort'>): Promise<LoopDelay> {
  return loopDelayIn(await metricsOf(gateway))
}

export async function metricsOf({ adminPort }: Pick<RunningToolgate, 'adminPort'>): Promise<string> {
  const reply = await fetch(`http://127.0.0.1:${String(adminPort)}/metrics`)
  return reply.text()
}

/** Since the last look at the metrics. */
export function loopDelayIn(metrics: string): LoopDelay {
  const delayMs = (name: string): number => {
    const seconds = metricIn(metrics, `nodejs_eventloop_lag_${name}_seconds`)
    return round(Math.max(0, seconds * 1_000 - RESOLUTION_MS), 1)
  }
  return { p99Ms: delayMs('p99'), mostMs: delayMs('max') }
}

/** NaN for one that has labels, or is not there. */
export function metricIn(metrics: string, name: string): number {
  return Number(new RegExp(`^${name} ([\\d.e+-]+)$`, 'm').exec(metrics)?.[1] ?? Number.NaN)
}

export const SIZED_COLUMNS = [
  'calls/s',
  'CPU µs/call',
  'p50 ms at 300/s',
  'p99 ms',
  'loop held up p99 ms',
  'most',
] as const

export function sizedLine({ size, saturated, paced, loopDelay }: SizedFigures): (string | number)[] {
  return [
    size,
    saturated.callsPerSecond,
    round(saturated.processorUs, 0),
    paced === undefined ? '–' : paced.p50Ms.toFixed(2),
    paced === undefined ? '–' : paced.p99Ms.toFixed(2),
    loopDelay.p99Ms.toFixed(1),
    loopDelay.mostMs.toFixed(1),
  ]
}
