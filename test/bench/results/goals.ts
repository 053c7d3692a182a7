import type { Figures, RowResult } from './figures.ts'
import type { Results, ScaleName } from './results.ts'

/** A goal of DESIGN §15 held against a run. */
export interface Goal {
  readonly goal: string
  readonly wanted: string
  readonly seen: string
  /** `undefined` when this run has nothing to tell by. */
  readonly isMet: boolean | undefined
}

const MTLS = 'Toolgate mTLS embedded flushed'
const DPOP = 'Toolgate DPoP embedded flushed'
const MTLS_REDIS = 'Toolgate mTLS redis flushed'
/** Of the latency that is added; a machine that does not carry so many is held to the most that it does. */
const MOST_PER_SECOND = 1_000

export function goalsOf(results: Results): readonly Goal[] {
  const { rows = [] } = results
  return [
    againstReplyFrom(
      rows,
      MTLS,
      1,
      'mTLS-bound token, all controls, one process, against @fastify/reply-from',
    ),
    againstReplyFrom(rows, DPOP, 0.5, 'DPoP, all controls, one process, against @fastify/reply-from'),
    ...againstEnvoy(rows),
    addedLatency(rows, 'read', MTLS, 'direct', [0.5, 2]),
    addedLatency(
      rows,
      'write, intent fsynced',
      'Toolgate mTLS write embedded strict',
      'direct write',
      [2, 8],
    ),
    flat(results),
    memory(results),
    scaling(rows),
  ]
}

function againstReplyFrom(rows: readonly RowResult[], name: string, least: number, goal: string): Goal {
  const ratio = ratioOf(saturated(rows, name), saturated(rows, '@fastify/reply-from'))
  return {
    goal,
    wanted: `≥ ${String(least)} × its throughput`,
    seen: ratio === undefined ? '–' : `${ratio.toFixed(2)} ×`,
    isMet: ratio === undefined ? undefined : ratio >= least,
  }
}

/** Against whichever way of asking OPA does better. */
function againstEnvoy(rows: readonly RowResult[]): Goal[] {
  const envoys = rows.filter(({ name, missing }) => name.startsWith('Envoy') && missing === undefined)
  const most = Math.max(...envoys.map(({ saturated: figures }) => figures?.callsPerSecond ?? 0))
  const best = envoys.find(({ saturated: figures }) => figures?.callsPerSecond === most)
  const ratio = ratioOf(saturated(rows, MTLS_REDIS), best?.saturated)
  const sameRate = pacedAlike(rows, MTLS_REDIS, best?.name ?? '')
  const name = best?.name ?? 'Envoy'
  return [
    {
      goal: `mTLS-bound token, Redis, against ${name}, JWT, rate limit service`,
      wanted: '≥ 2 × its throughput',
      seen: ratio === undefined ? '–' : `${ratio.toFixed(2)} ×`,
      isMet: ratio === undefined ? undefined : ratio >= 2,
    },
    {
      goal: `the same at ${rateOf(sameRate)}`,
      wanted: 'lower p99',
      seen: sameRate ? `${sameRate.one.p99Ms.toFixed(2)} against ${sameRate.other.p99Ms.toFixed(2)} ms` : '–',
      isMet: sameRate && sameRate.one.p99Ms < sameRate.other.p99Ms,
    },
  ]
}

function addedLatency(
  rows: readonly RowResult[],
  what: string,
  name: string,
  without: string,
  [mostP50, mostP99]: readonly [number, number],
): Goal {
  const sameRate = pacedAlike(rows, name, without)
  const p50 = sameRate ? sameRate.one.p50Ms - sameRate.other.p50Ms : 0
  const p99 = sameRate ? sameRate.one.p99Ms - sameRate.other.p99Ms : 0
  return {
    goal: `latency added at ${rateOf(sameRate)}, ${what}`,
    wanted: `p50 ≤ ${String(mostP50)} ms, p99 ≤ ${String(mostP99)} ms`,
    seen: sameRate ? `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms` : '–',
    isMet: sameRate && p50 <= mostP50 && p99 <= mostP99,
  }
}

function flat(results: Results): Goal {
  const change = findingOf(results, 'agents-in-data')
  return {
    goal: 'processor time of a call, from few agents in the data to the most',
    wanted: 'flat, ± 20 %',
    seen: change === undefined ? '–' : `${change >= 0 ? '+' : ''}${(change * 100).toFixed(0)} %`,
    isMet: change === undefined ? undefined : Math.abs(change) <= 0.2,
  }
}

function memory(results: Results): Goal {
  const more = findingOf(results, 'bodies')
  return {
    goal: 'memory while the largest body streams through',
    wanted: '≤ + 50 MiB',
    seen: more === undefined ? '–' : `+ ${more.toFixed(0)} MiB`,
    isMet: more === undefined ? undefined : more <= 50,
  }
}

/** By processor time: with the client and the upstream on the same cores, throughput cannot double. */
function scaling(rows: readonly RowResult[]): Goal {
  const [one, two] = [saturated(rows, MTLS_REDIS), saturated(rows, `${MTLS_REDIS} 2 workers`)]
  const known = one !== undefined && two !== undefined
  const share = known ? one.processorUs / two.processorUs : 0
  const ratio = ratioOf(two, one)
  return {
    goal: 'scaling with worker processes: processor time of a call with one, by that with two',
    wanted: '≥ 0.9',
    seen: known ? `${share.toFixed(2)} (throughput × ${ratio?.toFixed(2) ?? '–'} on shared cores)` : '–',
    isMet: known ? share >= 0.9 : undefined,
  }
}

function findingOf({ scale = [] }: Results, name: ScaleName): number | undefined {
  return scale.find((table) => table.name === name)?.finding
}

function saturated(rows: readonly RowResult[], name: string): Figures | undefined {
  return rows.find((row) => row.name === name)?.saturated
}

interface SameRate {
  readonly perSecond: number
  readonly one: Figures
  readonly other: Figures
}

/** At the highest rate that both were asked for; `undefined` when there is none. */
function pacedAlike(rows: readonly RowResult[], one: string, other: string): SameRate | undefined {
  const pacedOf = (wanted: string): readonly Figures[] =>
    rows.find(({ name }) => name === wanted)?.paced ?? []
  const others = new Map(pacedOf(other).map((figures) => [figures.perSecond ?? 0, figures]))
  const shared = pacedOf(one).flatMap((figures) => {
    const perSecond = figures.perSecond ?? 0
    const theirs = others.get(perSecond)
    return theirs === undefined || perSecond > MOST_PER_SECOND
      ? []
      : [{ perSecond, one: figures, other: theirs }]
  })
  return shared.toSorted((left, right) => right.perSecond - left.perSecond)[0]
}

function rateOf(sameRate: SameRate | undefined): string {
  return `${(sameRate?.perSecond ?? MOST_PER_SECOND).toLocaleString('en')} calls/s`
}

function ratioOf(ours: Figures | undefined, theirs: Figures | undefined): number | undefined {
  return ours === undefined || theirs === undefined ? undefined : ours.callsPerSecond / theirs.callsPerSecond
}
