import { setTimeout as pause } from 'node:timers/promises'
import { type Child, startChild } from '../child.ts'
import { callers } from '../compare/callers.ts'
import type { World } from '../compare/row.ts'
import { type RunningToolgate, startToolgate } from '../compare/toolgate.ts'
import { runOnce } from '../compare/turn.ts'
import type { LoadPlan, LoadResult } from '../load/plan.ts'
import { processorMicrosecondsOf, residentBytesOf } from '../processor-time.ts'
import { quantile } from '../measure.ts'
import { figuresOf, round } from '../results/figures.ts'
import type { ScaleTable } from '../results/results.ts'
import { answerAsPerson, peopleOf } from './answer-as-person.ts'
import { openFilesLimit, OTHER_FILES } from './open-files.ts'
import { type LoopDelay, loopDelayIn, loopDelayOf, metricIn, metricsOf } from './size-turns.ts'

type Cells = (string | number)[]

/** Of one agent; as many as a configuration may allow it. */
const MOST_PENDING = 10_000
const READS_PER_SECOND = 100
const CONNECTIONS = 32
const VOTES = 5
const LOOK_MS = 200
/** What has not been read from its connection within ten seconds is answered with 408. */
const HELD_AT_ONCE = 200
const LONGEST_HOLD_MS = 60_000
/** Longer than any of this takes. */
const WAIT_SECONDS = 3_600
const MIB = 1_048_576

/** Ever more calls that wait for people on their connections, and what others notice of them. */
export async function heldCalls(
  world: World,
  counts: readonly number[],
  seconds: number,
): Promise<ScaleTable> {
  const most = openFilesLimit() - OTHER_FILES - CONNECTIONS
  const lines: Cells[] = []
  for (const count of counts) {
    if (count > most) {
      lines.push([count, `more than the ${String(openFilesLimit())} files that a process may open here`])
      continue
    }
    lines.push([count, ...(await beside(count, world, seconds))])
  }
  return {
    name: 'held-calls',
    title: 'Calls that wait for people',
    note:
      'DPoP, embedded store, `Prefer: wait`; meanwhile 100 reads a second by another agent, to which ' +
      `the figures from MiB on belong. They come ${String(HELD_AT_ONCE)} at a time. The last figure is the median of ${String(VOTES)}: from a vote at the admin listener to the upstream’s reply to the call.`,
    columns: [
      'held',
      's until all are',
      'CPU ms each',
      'loop held up ms meanwhile',
      'MiB',
      'loop held up p99 ms',
      'most',
      'CPU %',
      'read p50 ms',
      'read p99 ms',
      'answer to reply ms',
    ],
    lines,
    finding: undefined,
  }
}

async function beside(count: number, world: World, seconds: number): Promise<Cells> {
  await using gateway = await startToolgate(
    {
      binding: 'dpop',
      store: 'embedded',
      access: 'read',
      durability: 'flushed',
      workers: 1,
      listen: { maxConnections: count + 2 * CONNECTIONS, maxCallsInFlight: 2 * MOST_PENDING },
      limits: { concurrency: [{ name: 'held', by: ['tenant', 'agent'], calls: 2 * MOST_PENDING }] },
      approvals: {
        maxWaitMs: WAIT_SECONDS * 1_000,
        maxHeld: 2 * MOST_PENDING,
        maxPending: 2 * MOST_PENDING,
        maxPendingPerAgent: MOST_PENDING,
      },
      people: peopleOf(world.issuer),
    },
    world,
  )
  const pid = gateway.processes['toolgate'] ?? 0
  await using reader = startChild('load/agents-process.ts')
  await reader.ask({ ...gateway.plan, connections: CONNECTIONS, idleConnections: 0 } satisfies LoadPlan)
  const read = (perSecond: number | undefined) =>
    runOnce(reader, gateway, { seconds, perSecond, calls: seconds * (perSecond ?? 4_000) })
  await read(undefined)
  // One more is held for each answer.
  const others = Math.max(0, count - 1)
  await using holder = startChild('load/hold-process.ts')
  const held = await hold(others, { holder, gateway, pid, plan: heldPlan(gateway, world, '1{n}') })
  await loopDelayOf(gateway)
  const seen = await read(READS_PER_SECOND)
  const delay: LoopDelay = await loopDelayOf(gateway)
  const resident = residentBytesOf(pid)
  const { p50Ms, p99Ms } = figuresOf([seen])
  const percent = ((seen.processorUs['toolgate'] ?? 0) / 1_000 / seen.elapsedMs) * 100
  return [
    ...held,
    Math.round(resident / MIB),
    delay.p99Ms.toFixed(1),
    delay.mostMs.toFixed(1),
    round(percent, 0),
    p50Ms.toFixed(2),
    p99Ms.toFixed(2),
    (await answerToReply(gateway, world, others)).toFixed(1),
  ]
}

interface Holding {
  readonly holder: Child
  readonly gateway: RunningToolgate
  readonly pid: number
  readonly plan: LoadPlan
}

/** How long it takes until so many are held, and what each costs. */
async function hold(count: number, { holder, gateway, pid, plan }: Holding): Promise<Cells> {
  if (count === 0) return ['–', '–', '–']
  await holder.ask(plan)
  const startedMs = performance.now()
  const before = processorMicrosecondsOf(pid)
  let heldUpMs = 0
  for (let sent = 0; sent < count;) {
    const calls = Math.min(HELD_AT_ONCE, count - sent)
    await holder.ask({ calls })
    sent += calls
    heldUpMs = Math.max(heldUpMs, await untilHeld(gateway, sent))
  }
  const processorMs = (processorMicrosecondsOf(pid) - before) / 1_000
  const tookMs = performance.now() - startedMs
  return [(tookMs / 1_000).toFixed(1), (processorMs / count).toFixed(2), heldUpMs.toFixed(1)]
}

/** Answers by how much the event loop was held up meanwhile, at most. */
async function untilHeld(gateway: RunningToolgate, count: number): Promise<number> {
  const startedMs = performance.now()
  let heldUpMs = 0
  for (;;) {
    const metrics = await metricsOf(gateway)
    const held = metricIn(metrics, 'toolgate_calls_held')
    heldUpMs = Math.max(heldUpMs, loopDelayIn(metrics).mostMs)
    if (held === count) return heldUpMs
    if (performance.now() - startedMs > LONGEST_HOLD_MS)
      throw new Error(`${String(held)} of ${String(count)} calls are held`)
    await pause(LOOK_MS)
  }
}

async function answerToReply(gateway: RunningToolgate, world: World, others: number): Promise<number> {
  await using caller = startChild('load/agents-process.ts')
  await caller.ask(heldPlan(gateway, world, '2{n}'))
  const tookMs: number[] = []
  for (let vote = 0; vote < VOTES; vote += 1) {
    await caller.ask({ seconds: WAIT_SECONDS, perSecond: undefined, calls: 1 })
    const replied = caller.ask({ go: true })
    await untilHeld(gateway, others + 1)
    const votedMs = await answerAsPerson(gateway, world.issuer)
    const { statuses } = (await replied) as LoadResult
    tookMs.push(performance.now() - votedMs)
    if (!Object.keys(statuses).every((status) => status.startsWith('2')))
      throw new Error(`the call was not let through: ${JSON.stringify(statuses)}`)
  }
  return quantile(tookMs, 0.5)
}

/** What the policy that is shipped asks one person about. */
function heldPlan(gateway: RunningToolgate, world: World, issue: string): LoadPlan {
  const claimsOf = (): object => ({
    client_id: 'release-agent',
    sub: 'rui@zyx.example',
    groups: ['release-engineering'],
  })
  return {
    ...gateway.plan,
    method: 'POST',
    target: `/github/repos/zyx/platform-infra/issues/${issue}/comments`,
    body: JSON.stringify({ body: 'Advisory: no public bucket, rollback plan present.' }),
    headers: { ...gateway.plan.headers, Prefer: `wait=${String(WAIT_SECONDS)}` },
    agents: callers('dpop', { issuer: world.issuer, x5t: '' }, { claimsOf }),
    connections: 1,
    idleConnections: 0,
  }
}
