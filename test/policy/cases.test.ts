import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Decision } from '../../gateway/policy/decision.ts'
import { parseDecision } from '../../gateway/policy/parse-decision.ts'
import { REASONS } from '../../gateway/policy/reasons.ts'
import { createPolicy } from '../../gateway/policy/policy.ts'
import type { Policy } from '../../gateway/policy/policy.ts'
import { systemClock } from '../../gateway/lib/clock.ts'
import { outcomeOf, readCases } from '../../gateway/policy/authoring/cases.ts'
import { decideNow, runOpa } from '../harness/opa.ts'

const POLICIES = join(import.meta.dirname, '..', '..', 'policies-rego')
const cases = await readCases(join(POLICIES, 'cases'))

/** Every case decided by `opa eval` on the sources, in one run. */
async function decideWithOpa(): Promise<readonly Decision[]> {
  const directory = await mkdtemp(join(tmpdir(), 'toolgate-cases-'))
  try {
    const file = join(directory, 'cases.json')
    await writeFile(file, JSON.stringify({ inputs: cases.map(({ input }) => input) }))
    const query = '[d | some i in data.inputs; d := data.gateway.decision.decision with input as i]'
    const printed = await runOpa(
      ['eval', '-d', 'gateway', '-d', 'data', '-d', file, '-f', 'json', query],
      POLICIES,
    )
    const { result } = JSON.parse(printed) as { result: [{ expressions: [{ value: unknown[] }] }] }
    return result[0].expressions[0].value.map((value) => {
      const parsed = parseDecision([{ result: value }])
      if (!parsed.ok) throw new Error(parsed.problem)
      return parsed.decision
    })
  } finally {
    await rm(directory, { recursive: true })
  }
}

describe('the committed bundle, as the gateway evaluates it, and the sources, as opa evaluates them', () => {
  let policy: Policy
  let byOpa: readonly Decision[]

  beforeAll(async () => {
    byOpa = await decideWithOpa()
    policy = await createPolicy({
      bundlePath: join(POLICIES, 'bundle.tar.gz'),
      watch: false,
      memoryLimitPages: 1024,
      clock: systemClock,
      onEvent: () => {},
    })
  })
  afterAll(() => policy[Symbol.asyncDispose]())

  test.each(cases.map((each, index) => ({ ...each, index })))('$id $title', ({ input, expected, index }) => {
    const verdict = decideNow(policy, input)
    if (!verdict.ok) throw new Error(verdict.refusal.code)
    const outcome = outcomeOf(verdict.value)
    expect(outcome).toEqual({
      ...expected,
      reasons: [...expected.reasons].sort(),
      risk: expected.risk ?? outcome.risk,
    })
    expect(byOpa[index]).toEqual(verdict.value)
  })

  test('the cases provoke every reason code that the rules know, save for an input of another version', () => {
    const provoked = new Set(cases.flatMap(({ expected }) => [...expected.reasons, ...expected.reported]))
    const known = Object.keys(REASONS).filter((code) => code !== 'input.unsupported')
    expect([...provoked].sort()).toEqual(known.sort())
  })
})
