import { startChild } from '../child.ts'
import { startToolgate } from '../compare/toolgate.ts'
import type { RunningToolgate } from '../compare/toolgate.ts'
import { runOnce } from '../compare/turn.ts'
import type { World } from '../compare/row.ts'
import type { LoadPlan } from '../load/plan.ts'
import { residentBytesOf } from '../processor-time.ts'
import { round } from '../results/figures.ts'
import type { ScaleTable } from '../results/results.ts'
import { loopDelayOf } from './size-turns.ts'

const MIB = 1_048_576
const LOOK_EVERY_MS = 20

/** Answers of ever more bytes through one gateway, on one connection. */
export async function bodies(
  world: World,
  sizes: readonly (readonly [name: string, bytes: number])[],
  seconds: number,
): Promise<ScaleTable> {
  await using stack = new AsyncDisposableStack()
  const upstream = stack.use(startChild('scale/body-upstream-process.ts'))
  const upstreamPort = (await upstream.ask()) as number
  const gateway = stack.use(
    await startToolgate(
      { binding: 'dpop', store: 'embedded', access: 'read', durability: 'flushed', workers: 1 },
      { ...world, upstreamPort },
    ),
  )
  await stream(gateway, MIB, 0.5)
  const lines: (string | number)[][] = []
  let last = 0
  for (const [name, bytes] of sizes) {
    // One call of the largest takes longer than the time there is, and is let finish.
    const seen = await stream(gateway, bytes, seconds)
    last = seen.moreMiB
    const mib = bytes / MIB
    lines.push([
      name,
      seen.calls,
      round((seen.calls * mib) / seen.seconds, 1),
      round(seen.processorUs / (seen.calls * mib), 0),
      round(seen.moreMiB, 0),
      seen.loopMostMs.toFixed(1),
    ])
  }
  return {
    name: 'bodies',
    title: 'Bytes of an answer',
    note:
      'One connection, DPoP; an answer that no rule has to read is streamed. Memory is the most that the gateway had resident ' +
      'meanwhile, above what it had before.',
    columns: ['bytes', 'calls', 'MiB/s', 'CPU µs/MiB', 'more MiB resident', 'loop held up ms, most'],
    lines,
    finding: last,
  }
}

interface Streamed {
  readonly calls: number
  readonly seconds: number
  readonly processorUs: number
  readonly moreMiB: number
  readonly loopMostMs: number
}

async function stream(gateway: RunningToolgate, bytes: number, seconds: number): Promise<Streamed> {
  const target = `/github/repos/zyx/platform-infra/pulls/${String(bytes)}`
  const plan: LoadPlan = { ...gateway.plan, target, connections: 1, idleConnections: 0 }
  await using client = startChild('load/agents-process.ts')
  await client.ask(plan)
  await loopDelayOf(gateway)
  const pid = gateway.processes['toolgate'] ?? 0
  const before = residentBytesOf(pid)
  let most = before
  const looking = setInterval(() => (most = Math.max(most, residentBytesOf(pid))), LOOK_EVERY_MS)
  try {
    const seen = await runOnce(client, gateway, {
      seconds,
      perSecond: undefined,
      calls: Math.ceil(seconds * 6_000),
    })
    return {
      calls: seen.calls,
      seconds: seen.elapsedMs / 1_000,
      processorUs: Object.values(seen.processorUs).reduce((sum, us) => sum + us, 0),
      moreMiB: (most - before) / MIB,
      loopMostMs: (await loopDelayOf(gateway)).mostMs,
    }
  } finally {
    clearInterval(looking)
  }
}
