/** What a decision costs, by input and by agents in the data, and what a swap holds up. `node test/bench/policy.ts`; ends by itself. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises'
import { ENTRYPOINT, openBundle } from '../../gateway/policy/bundles/bundle.ts'
import type { PolicyInput } from '../../gateway/policy/input.ts'
import { loadPolicySync } from '../harness/opa-sdk.ts'
import type { LoadedPolicy } from '../harness/opa-sdk.ts'
import { readCases } from '../../gateway/policy/authoring/cases.ts'
import { decideNow, startPolicy } from '../harness/opa.ts'
import type { Policy } from '../../gateway/policy/policy.ts'
import { countOf, isShort, quantile } from './measure.ts'
import { bundleWithAgents } from './scale/many-agents.ts'

const POLICIES = join(import.meta.dirname, '..', '..', 'policies-rego')
const MEMORY_LIMIT_PAGES = 16_384
const cases = await readCases(join(POLICIES, 'cases'))

function inputOf(wanted: string): PolicyInput {
  const found = cases.find(({ title }) => title === wanted)
  if (found === undefined) throw new Error(`there is no case "${wanted}"`)
  return found.input
}

const READ = inputOf('dana through the change review: read the pull request')
const COMMENT = inputOf('dana through the change review: comment on the change ticket')
const DENIED = inputOf('an outsider through the change review: read the pull request')

/** An input that was never written before: of one that was, the text is known. */
function anew(input: PolicyInput): PolicyInput {
  return { ...input }
}

/** The SDK with the policy and the data of a bundle, as its documentation has it. */
async function sdkOf(
  bundle: Buffer,
): Promise<LoadedPolicy & { evaluate(input: unknown, name: string): unknown }> {
  const { wasm, data } = await openBundle(bundle)
  const memory = { initial: 64, maximum: MEMORY_LIMIT_PAGES }
  const sdk = loadPolicySync(await WebAssembly.compile(wasm), memory, {})
  sdk.setData(JSON.parse(String(data)))
  return sdk as LoadedPolicy & { evaluate(input: unknown, name: string): unknown }
}

/** Both in turn, so that whatever else the machine does falls upon both. */
async function benchDecision(name: string, input: PolicyInput): Promise<void> {
  const bundle = await readFile(join(POLICIES, 'bundle.tar.gz'))
  const sdk = await sdkOf(bundle)
  await using running = await startPolicy(bundle)
  const bySdk: number[] = []
  const byGateway: number[] = []
  const undisturbed: number[] = []
  for (let count = -countOf(5_000); count < countOf(25_000); count += 1) {
    const sdkUs = microsecondsOf(() => sdk.evaluate(input, ENTRYPOINT))
    const before = timesInterrupted()
    const gatewayUs = microsecondsOf(() => running.policy.decide(anew(input)))
    const wasInterrupted = timesInterrupted() !== before
    if (count < 0) continue
    bySdk.push(sdkUs)
    byGateway.push(gatewayUs)
    if (!wasInterrupted) undisturbed.push(gatewayUs)
  }
  const sdkUs = quantile(bySdk, 0.5)
  const [p50, p99] = [quantile(byGateway, 0.5), quantile(byGateway, 0.99)]
  const ownP99 = `${quantile(undisturbed, 0.99).toFixed(1)} of the ${((undisturbed.length / byGateway.length) * 100).toFixed(1)} % not interrupted`
  const size = `${JSON.stringify(input).length} bytes`
  console.log(
    `${`${name}, ${size}`.padEnd(32)} p50 ${p50.toFixed(1)} µs, p99 ${p99.toFixed(1)} µs (${ownP99}), ${(p50 / sdkUs).toFixed(2)} × the SDK (${sdkUs.toFixed(1)} µs)`,
  )
}

/** How often the system took the processor away for somebody else: what a call then waits is not of its own making. */
function timesInterrupted(): number {
  return process.resourceUsage().involuntaryContextSwitches
}

function microsecondsOf(work: () => unknown): number {
  const startedMs = performance.now()
  work()
  return (performance.now() - startedMs) * 1_000
}

async function benchIsolated(): Promise<void> {
  const bundle = await readFile(join(POLICIES, 'bundle.tar.gz'))
  await using running = await startPolicy(bundle, { isolation: 'worker', budgetMs: 10_000 })
  const samplesUs: number[] = []
  for (let count = 0; count < countOf(10_000); count += 1) {
    const startedMs = performance.now()
    await running.policy.decide(anew(READ))
    samplesUs.push((performance.now() - startedMs) * 1_000)
  }
  const settled = samplesUs.slice(samplesUs.length >> 2)
  console.log(
    `allowed read in a thread of its own: p50 ${quantile(settled, 0.5).toFixed(1)} µs, p99 ${quantile(settled, 0.99).toFixed(1)} µs`,
  )
}

/** All of them in turn: what is compared is measured in the same moments. */
async function benchAgents(counts: readonly number[]): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const measured: { count: number; policy: Policy; samplesUs: number[] }[] = []
  for (const count of counts) {
    const running = await startPolicy(await bundleWithAgents(count), { memoryLimitPages: MEMORY_LIMIT_PAGES })
    measured.push({ count, policy: stack.use(running).policy, samplesUs: [] })
  }
  for (let round = 0; round < countOf(20_000); round += 1) {
    for (const { policy, samplesUs } of measured) samplesUs.push(microsecondsOf(() => allowed(policy)))
  }
  const p50s = measured.map(({ samplesUs }) => quantile(samplesUs.slice(countOf(5_000)), 0.5))
  for (const [index, { count }] of measured.entries()) {
    const p50 = p50s[index] ?? 0
    console.log(
      `${count} agents in the data`.padEnd(32),
      `p50 ${p50.toFixed(1)} µs, ${(p50 / (p50s[0] ?? p50)).toFixed(2)} × the first`,
    )
  }
}

/** Decides the read, which has to be let through. */
function allowed(policy: Policy): void {
  const verdict = decideNow(policy, anew(READ))
  if (!verdict.ok || !verdict.value.allow) throw new Error('the policy of this bench does not allow its read')
}

/** How long a swap, and a throw, hold up calls that run through; beside the same calls with nothing going on. */
async function benchSwap(count: number): Promise<void> {
  const next = await bundleWithAgents(count + 1)
  const bundle = await bundleWithAgents(count)
  await using running = await startPolicy(bundle, { memoryLimitPages: MEMORY_LIMIT_PAGES })
  const { policy, file } = running
  await pause(1_000)
  const data = `${(await openBundle(bundle)).data.length >> 20} MiB of data`
  await holdUp(`calls, ${data}`, policy, () => pause(2_000))
  await file.write(next)
  await holdUp(`calls during a swap, ${data}`, policy, async () => {
    const outcome = await policy.reload()
    if (outcome !== 'activated') throw new Error(`the swap ended as ${outcome}`)
  })
  await holdUp(`calls after it, ${data}`, policy, () => pause(2_000))
}

/** Decides one call after another, with a turn of the event loop between, for as long as `work` takes. */
async function holdUp(name: string, policy: Policy, work: () => Promise<void>): Promise<void> {
  const done = new AbortController()
  const gapsMs: number[] = []
  const processorMs: number[] = []
  const calling = (async () => {
    while (!done.signal.aborted) {
      const startedMs = performance.now()
      const startedCpu = process.threadCpuUsage()
      await turn()
      allowed(policy)
      gapsMs.push(performance.now() - startedMs)
      const { user, system } = process.threadCpuUsage(startedCpu)
      processorMs.push((user + system) / 1_000)
    }
  })()
  const startedMs = performance.now()
  await work()
  const elapsedMs = performance.now() - startedMs
  done.abort()
  await calling
  console.log(
    `${name.padEnd(44)} ${elapsedMs.toFixed(0).padStart(5)} ms; a call took at most ${Math.max(...gapsMs).toFixed(1)} ms (p99.9 ${quantile(gapsMs, 0.999).toFixed(1)}), of which of this thread's own time ${Math.max(...processorMs).toFixed(1)} ms`,
  )
}

await benchDecision('allowed read', READ)
await benchDecision('allowed comment', COMMENT)
await benchDecision('denied read', DENIED)
await benchIsolated()
await benchAgents(isShort ? [10, 1_000] : [10, 1_000, 100_000])
for (const count of isShort ? [0] : [0, 100_000]) await benchSwap(count)
