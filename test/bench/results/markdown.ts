import type { Figures, RowResult } from './figures.ts'
import { floorOf } from './floor.ts'
import { goalsOf } from './goals.ts'
import type { Goal } from './goals.ts'
import type { PartFigure, ProfileOfRow, Results, ScaleTable } from './results.ts'

/** The page of a run. What is not in the run is not on the page. */
export function markdownOf(results: Results): string {
  const { rows = [], scale = [], parts = [], profiles = [] } = results
  return [
    `# What a call costs`,
    introduction(results),
    section('Goals', [
      'The goals of the design, each with what this run saw. Ratios travel to other machines, absolutes do not.',
      goalTable(goalsOf(results)),
    ]),
    rows.length === 0 ? '' : comparison(rows),
    scale.length === 0 ? '' : section('Scale', scale.flatMap(scaleTable)),
    parts.length === 0 ? '' : section('Parts', partTables(parts)),
    profiles.length === 0 ? '' : section('Where the processor time goes', profiles.flatMap(profileTable)),
    rows.length === 0 ? '' : section('The floor', floorOf(results)),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n')
}

function introduction({ form, startedAt, minutes, machine }: Results): string {
  const { processor, cores, memoryGiB, system, loadBefore, commit, upstream, versions } = machine
  const quick =
    form === 'quick'
      ? '\n\n**A short run: everything was started and asked, too briefly for a figure to keep.**'
      : ''
  const list = Object.entries(versions)
    .map(([name, version]) => `${name} ${version.replace(/^v/, '')}`)
    .join(', ')
  return `Made by \`npm run bench\` on ${startedAt.slice(0, 16).replace('T', ' ')} UTC in ${minutes.toFixed(1)} minutes, at commit ${commit}.${quick}

- Machine: ${processor}, ${cores} cores, ${memoryGiB} GiB, ${system}; load average ${loadBefore} before it began. Client, proxy and upstream
  share these cores, so throughput is what is left for the one in the middle; processor time of a call is its own.
- Upstream: ${upstream}, 600 bytes of JSON. Loopback, HTTP/1.1, connections kept open. Rows take turns, A B C … A B C ….
- At a fixed rate calls begin by the clock, and latency counts from when a call was due, so that a stall counts for
  all who wait (no coordinated omission). Proofs are signed before the clock starts.
- Toolgate runs as it comes: nothing that is on by default is off. Each row that decides was first seen to refuse
  a call without a token and one by an outsider.
- ${list}.`
}

function section(title: string, parts: readonly string[]): string {
  if (parts.length === 0) return ''
  return [`## ${title}`, ...parts].join('\n\n')
}

function goalTable(goals: readonly Goal[]): string {
  const verdict = (isMet: boolean | undefined): string =>
    isMet === undefined ? 'not in this run' : isMet ? 'met' : '**not met**'
  return table(
    ['goal', 'wanted', 'seen', ''],
    goals.map(({ goal, wanted, seen, isMet }) => [goal, wanted, seen, verdict(isMet)]),
  )
}

function comparison(rows: readonly RowResult[]): string {
  const there = rows.filter(({ missing }) => missing === undefined)
  const rates = [...new Set(there.flatMap(({ paced }) => paced.map(({ perSecond }) => perSecond ?? 0)))].sort(
    (one, other) => one - other,
  )
  return section('Beside what people would use instead', [
    '![calls a second](pictures/throughput.svg)',
    '![processor time](pictures/processor.svg)',
    '![latency](pictures/latency.svg)',
    '### What each row does for a call',
    table(
      ['row', 'identity', 'policy', 'limits', 'record'],
      rows.map(({ name, controls: { identity, policy, limits, record } }) => [
        name,
        identity,
        policy,
        limits,
        record,
      ]),
    ),
    '### As many calls as the connections carry',
    'Median of the turns with least and most; CPU of a call in all processes of the row, sidecars and Redis included.',
    table(
      ['row', 'calls/s', 'least–most', 'CPU µs/call', 'of which', 'p50 ms', 'p90', 'p99', 'p99.9', 'MiB', ''],
      rows.map((row) => saturatedLine(row)),
    ),
    ...rates.flatMap((rate) => [
      `### At ${rate.toLocaleString('en')} calls a second`,
      table(
        ['row', 'p50 ms', 'p90', 'p99', 'p99.9', 'CPU µs/call', ''],
        rows.map((row) => pacedLine(row, rate)),
      ),
    ]),
    'A row that carries less than the rate with room to spare is not asked for it. *client*: the load client itself was' +
      ' the bottleneck, or late by more than 1 ms, so that the figure says more of it than of the row.',
  ])
}

function saturatedLine({ name, missing, saturated }: RowResult): string[] {
  if (saturated === undefined) return [name, `missing: ${missing ?? ''}`]
  const { callsPerSecond, leastPerSecond, mostPerSecond, processorUs, processorUsBy, residentMiB } = saturated
  const parts = Object.entries(processorUsBy)
  return [
    name,
    callsPerSecond.toLocaleString('en'),
    `${leastPerSecond.toLocaleString('en')}–${mostPerSecond.toLocaleString('en')}`,
    parts.length === 0 ? '–' : processorUs.toFixed(0),
    parts.length < 2 ? '' : parts.map(([part, us]) => `${part} ${us.toFixed(0)}`).join(', '),
    ...latencies(saturated),
    residentMiB === 0 ? '–' : String(residentMiB),
    saturated.isClientBound ? '*client*' : '',
  ]
}

function pacedLine({ name, missing, paced }: RowResult, rate: number): string[] {
  const figures = paced.find(({ perSecond }) => perSecond === rate)
  if (figures === undefined) return [name, missing === undefined ? 'not asked' : 'missing']
  const { processorUs, isClientBound } = figures
  const cpu = processorUs === 0 ? '–' : processorUs.toFixed(0)
  return [name, ...latencies(figures), cpu, isClientBound ? '*client*' : '']
}

function latencies({ p50Ms, p90Ms, p99Ms, p999Ms }: Figures): string[] {
  return [p50Ms, p90Ms, p99Ms, p999Ms].map((value) => value.toFixed(2))
}

function scaleTable({ title, note, columns, lines }: ScaleTable): string[] {
  return [
    `### ${title}`,
    note,
    table(
      columns,
      lines.map((line) => line.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell))),
    ),
  ]
}

function partTables(parts: readonly PartFigure[]): string[] {
  const lines = parts.map(({ name, budgetUs, p50Us, p99Us }) => [
    name,
    budgetUs.toFixed(1),
    p50Us.toFixed(2),
    p99Us.toFixed(2),
    p50Us <= budgetUs ? 'within' : '**over**',
  ])
  return [
    'Each part on its own, in process, beside its budget in the design: `vitest bench` of `parts.bench.ts`.',
    table(['part', 'budget µs', 'p50 µs', 'p99 µs', ''], lines),
  ]
}

function profileTable({ row, areas, hottest }: ProfileOfRow): string[] {
  return [
    `### ${row}`,
    'Of the second half of a run under this load, idle time left out. A stage with all that it called:',
    table(
      ['% of the time', 'where'],
      areas.map(({ area, percent }) => [percent.toFixed(1), area]),
    ),
    'The hottest functions, by their own time:',
    table(
      ['% of own time', 'function', 'where'],
      hottest.map(({ percent, name, place }) => [percent.toFixed(1), `\`${name}\``, place]),
    ),
  ]
}

function table(columns: readonly string[], lines: readonly (readonly string[])[]): string {
  const rowOf = (cells: readonly string[]): string =>
    `| ${columns.map((_column, index) => (cells[index] ?? '').replaceAll('|', '\\|')).join(' | ')} |`
  return [rowOf(columns), `|${columns.map(() => ' --- |').join('')}`, ...lines.map(rowOf)].join('\n')
}
