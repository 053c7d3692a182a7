/** What a decision costs, by input and by agents in the data. `node test/bench/policy.ts`; ends by itself. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { ENTRYPOINT, openBundle } from '../../gateway/policy/bundle.ts'
import type { PolicyInput } from '../../gateway/policy/input.ts'
import { loadPolicySync } from '../harness/opa-sdk.ts'
import type { LoadedPolicy } from '../harness/opa-sdk.ts'
import { readCases } from '../../gateway/policy/authoring/cases.ts'
import { compileBundle } from '../../gateway/policy/authoring/compile.ts'
import { readSources } from '../../gateway/policy/authoring/read-sources.ts'
import { decideNow, startPolicy } from '../harness/opa.ts'
import { isShort, printTimeOf } from './measure.ts'

const POLICIES = join(import.meta.dirname, '..', '..', 'policies-rego')
const ROOTS = ['gateway', 'registry']
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

/** The policy with so many more agents, evenly named. */
async function withAgents(count: number): Promise<Buffer> {
  const sources = new Map(await readSources(POLICIES))
  const path = 'registry/agents/data.json'
  const agents = JSON.parse(sources.get(path) ?? '{}') as Record<string, unknown>
  for (let index = 0; index < count; index += 1) {
    agents[`agent-${index}`] = {
      tenant: 'zyx-bank',
      owner: 'x@zyx.example',
      may_write: false,
      roles: { 'change-reviewer': true },
    }
  }
  sources.set(path, JSON.stringify(agents))
  return compileBundle({ sources, roots: ROOTS })
}

async function benchDecision(name: string, input: PolicyInput): Promise<void> {
  const bundle = await readFile(join(POLICIES, 'bundle.tar.gz'))
  const sdk = await sdkOf(bundle)
  await using running = await startPolicy(bundle)
  const size = `${String(JSON.stringify(input).length)} bytes`
  printTimeOf(`${name}, ${size}, SDK`, () => sdk.evaluate(input, ENTRYPOINT))
  printTimeOf(`${name}, ${size}, gateway`, () => running.policy.decide(input))
}

async function benchAgents(count: number): Promise<void> {
  await using running = await startPolicy(await withAgents(count), { memoryLimitPages: MEMORY_LIMIT_PAGES })
  const verdict = decideNow(running.policy, READ)
  if (!verdict.ok || !verdict.value.allow) throw new Error('the policy of this bench does not allow its read')
  printTimeOf(`${String(count)} agents in the data`, () => running.policy.decide(READ))
}

/** How long a swap holds up other work. */
async function benchSwap(count: number): Promise<void> {
  const next = await withAgents(count + 1)
  await using running = await startPolicy(await withAgents(count), { memoryLimitPages: MEMORY_LIMIT_PAGES })
  await running.file.write(next)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const outcome = await running.policy.reload()
  delay.disable()
  if (outcome !== 'activated') throw new Error(`the swap ended as ${outcome}`)
  console.log(`swap with ${String(count)} agents held up other work for ${(delay.max / 1e6).toFixed(1)} ms`)
}

await benchDecision('allowed read', READ)
await benchDecision('allowed comment', COMMENT)
await benchDecision('denied read', DENIED)
for (const count of isShort ? [10, 1_000] : [10, 1_000, 100_000]) await benchAgents(count)
for (const count of isShort ? [0] : [0, 100_000]) await benchSwap(count)
