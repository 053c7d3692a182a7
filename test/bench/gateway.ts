/**
 * The whole gateway in a process of its own, between agents and an upstream that are processes of their own, beside a
 * bare proxy in the same run. Loopback only; ends by itself. Linux only, for the processor time.
 *
 *   node test/bench/gateway.ts [--only NAME] [--profile DIRECTORY]
 */
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { createPki } from '../harness/pki.ts'
import { startChild } from './child.ts'
import { startUnderLoad } from './gateway-under-load.ts'
import type { Scenario } from './gateway-under-load.ts'
import type { LoadPlan, LoadResult, LoadRun } from './load-client.ts'
import { countOf } from './measure.ts'
import { processorMicrosecondsOf } from './processor-time.ts'

const CONNECTIONS = 32
const WARM_UP_CALLS = countOf(6_000)
const SATURATING_CALLS = countOf(20_000)
const PER_SECOND = 300
const PACED_CALLS = countOf(3_000)

const GATEWAYS: Readonly<Record<string, Omit<Scenario, 'connections'>>> = {
  'dpop read, embedded': { binding: 'dpop', store: 'embedded', access: 'read' },
  'dpop write, embedded': { binding: 'dpop', store: 'embedded', access: 'write' },
  'dpop read, redis': { binding: 'dpop', store: 'redis', access: 'read' },
  'mtls read, embedded': { binding: 'mtls', store: 'embedded', access: 'read' },
}

const { values } = parseArgs({ options: { only: { type: 'string' }, profile: { type: 'string' } } })
const isWanted = (name: string): boolean => values.only === undefined || name.startsWith(values.only)

await using upstream = startChild('reference.ts', ['upstream'])
const upstreamPort = (await upstream.ask()) as number
const rows: Record<string, Row> = {}
for (const isTls of [false, true]) {
  const name = isTls ? 'bare proxy, mutual TLS' : 'bare proxy'
  if (isWanted(name)) rows[name] = await measureBare(isTls)
}
for (const [name, scenario] of Object.entries(GATEWAYS)) {
  if (!isWanted(name)) continue
  await using gateway = await startUnderLoad(
    { ...scenario, connections: CONNECTIONS },
    { upstreamPort, profileDirectory: values.profile },
  )
  rows[name] = await measure(gateway.pid, gateway.plan)
}
console.table(rows)
console.log(
  `load average ${loadavg()[0]?.toFixed(2) ?? ''}, ${String(CONNECTIONS)} connections when saturated`,
)

interface Row {
  readonly 'calls/s': number
  readonly 'CPU µs/call': number
  readonly 'p50 ms': number
  readonly 'p99 ms': number
  readonly 'CPU µs at 300/s': number
  readonly 'p50 ms at 300/s': number
  readonly 'p99 ms at 300/s': number
}

async function measureBare(isTls: boolean): Promise<Row> {
  await using pki = createPki()
  const server = pki.server()
  const client = pki.client()
  const files = isTls ? [server.certFile, server.keyFile, pki.caFile] : []
  await using proxy = startChild('reference.ts', ['proxy', String(upstreamPort), ...files])
  const plan: LoadPlan = {
    port: (await proxy.ask()) as number,
    tls: isTls ? { ca: pki.ca, cert: client.cert, key: client.key } : undefined,
    connections: CONNECTIONS,
    method: 'GET',
    target: '/repos/zyx/platform-infra/pulls/{n}',
    headers: { 'User-Agent': 'bench', Accept: 'application/json' },
    body: '',
    agents: [],
  }
  return await measure(proxy.pid, plan)
}

async function measure(pid: number, plan: LoadPlan): Promise<Row> {
  await using client = startChild('load-client.ts')
  await client.ask(plan)
  const run = async (load: LoadRun): Promise<LoadResult & { readonly cpuUs: number }> => {
    await client.ask(load)
    const before = processorMicrosecondsOf(pid)
    const result = (await client.ask({ go: true })) as LoadResult
    const cpuUs = (processorMicrosecondsOf(pid) - before) / load.calls
    const isClean = Object.keys(result.statuses).every((status) => status.startsWith('2'))
    if (!isClean) throw new Error(`calls were not let through: ${JSON.stringify(result.statuses)}`)
    return { ...result, cpuUs }
  }

  await run({ calls: WARM_UP_CALLS, perSecond: undefined })
  const saturated = await run({ calls: SATURATING_CALLS, perSecond: undefined })

  const paced = await run({ calls: PACED_CALLS, perSecond: PER_SECOND })
  return {
    'calls/s': Math.round(SATURATING_CALLS / (saturated.elapsedMs / 1_000)),
    'CPU µs/call': Math.round(saturated.cpuUs),
    'p50 ms': hundredths(saturated.p50Ms),
    'p99 ms': hundredths(saturated.p99Ms),
    'CPU µs at 300/s': Math.round(paced.cpuUs),
    'p50 ms at 300/s': hundredths(paced.p50Ms),
    'p99 ms at 300/s': hundredths(paced.p99Ms),
  }
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100
}
