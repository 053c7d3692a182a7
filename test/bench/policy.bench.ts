import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { describe, expect, test } from 'vitest'
import { ENTRYPOINT, openBundle } from '../../gateway/policy/bundle.ts'
import type { PolicyInput } from '../../gateway/policy/input.ts'
import { loadPolicySync } from '../../gateway/policy/opa-sdk.ts'
import type { LoadedPolicy } from '../../gateway/policy/opa-sdk.ts'
import { readCases } from '../../gateway/policy/authoring/cases.ts'
import { compileBundle } from '../../gateway/policy/authoring/compile.ts'
import { readSources } from '../../gateway/policy/authoring/read-sources.ts'
import { startPolicy } from '../harness/opa.ts'

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

describe('a decision on an input of 1 KB', () => {
  test.each([
    ['a read that is allowed', READ],
    ['a comment that is allowed', COMMENT],
    ['a read that is denied', DENIED],
  ])('%s', async (_, input) => {
    const bundle = await readFile(join(POLICIES, 'bundle.tar.gz'))
    const sdk = await sdkOf(bundle)
    await using running = await startPolicy(bundle)
    expect(running.policy.decide(input)).toMatchObject({ ok: true })
    measure(`${JSON.stringify(input).length} bytes, SDK`, () => sdk.evaluate(input, ENTRYPOINT))
    measure(`${JSON.stringify(input).length} bytes, gateway`, () => running.policy.decide(input))
  })
})

describe('a decision with many agents in the data', () => {
  test.each([[10], [1000], [100_000]])('%d agents', { timeout: 120_000 }, async (count) => {
    const bundle = await withAgents(count)
    await using running = await startPolicy(bundle, { memoryLimitPages: MEMORY_LIMIT_PAGES })
    expect(running.policy.decide(READ)).toMatchObject({ ok: true, value: { allow: true } })
    measure(`${count} agents`, () => running.policy.decide(READ))
  })
})

describe('a swap', () => {
  test.each([
    ['the committed bundle', 0],
    ['100,000 agents', 100_000],
  ])('to %s holds up other work for no longer than', { timeout: 120_000 }, async (name, count) => {
    const current = await withAgents(count)
    const next = await withAgents(count + 1)
    await using running = await startPolicy(current, { memoryLimitPages: MEMORY_LIMIT_PAGES })
    await running.file.write(next)
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    expect(await running.policy.reload()).toBe('activated')
    delay.disable()
    console.log(`${name}: ${(delay.max / 1e6).toFixed(1)} ms`)
  })
})

/** Prints median and 99th percentile of single calls, after warming up. */
function measure(name: string, work: () => unknown): void {
  for (let count = 0; count < 5000; count += 1) work()
  const samples = Array.from({ length: 20_000 }, () => {
    const startedMs = performance.now()
    work()
    return (performance.now() - startedMs) * 1000
  })
  samples.sort((left, right) => left - right)
  const at = (share: number): string => (samples[Math.floor(samples.length * share)] ?? Number.NaN).toFixed(1)
  console.log(`${name}: p50 ${at(0.5)} µs, p99 ${at(0.99)} µs`)
}
