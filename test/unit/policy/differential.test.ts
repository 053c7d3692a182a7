// The gateway's own evaluation of a module beside the SDK's: the same result set for the same input, whatever is in it.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { readCases } from '../../../gateway/policy/authoring/cases.ts'
import { ENTRYPOINT, openBundle } from '../../../gateway/policy/bundles/bundle.ts'
import { compilePolicy } from '../../../gateway/policy/evaluation/compile-policy.ts'
import { LOG_ENTRYPOINTS } from '../../../gateway/policy/evaluation/entrypoints.ts'
import type { Entrypoint } from '../../../gateway/policy/evaluation/entrypoints.ts'
import { createInstance } from '../../../gateway/policy/evaluation/instance.ts'
import { INPUT_BOUNDS } from '../../../gateway/policy/evaluation/serialize-input.ts'
import { bareSdk, compileRules } from '../../harness/opa.ts'

const POLICIES = join(import.meta.dirname, '..', '..', '..', 'policies-rego')
const cases = await readCases(join(POLICIES, 'cases'))

interface Evaluators {
  ours(input: unknown, entrypoint?: Entrypoint): unknown
  theirs(input: unknown, entrypoint?: Entrypoint): unknown
}

async function evaluatorsOf(bundle: Buffer): Promise<Evaluators> {
  const opened = await openBundle(bundle)
  const compiled = await compilePolicy(opened, 2048)
  const { evaluate } = createInstance(compiled)
  const sdk = await bareSdk(bundle, 64)
  sdk.setData(JSON.parse(String(opened.data)))
  return {
    ours(input, entrypoint = ENTRYPOINT) {
      const id = compiled.entrypoints.get(entrypoint) ?? -1
      const bytes = evaluate(id, JSON.stringify(input), INPUT_BOUNDS.maxBytes)
      return bytes === undefined ? undefined : JSON.parse(Buffer.from(bytes, 'latin1').toString())
    },
    theirs: (input, entrypoint = ENTRYPOINT) => sdk.evaluate(input, entrypoint),
  }
}

describe('the committed policy', () => {
  let evaluators: Evaluators
  beforeAll(async () => {
    evaluators = await evaluatorsOf(await readFile(join(POLICIES, 'bundle.tar.gz')))
  })

  test.each(cases)('decides as in the SDK: $id $title', ({ input }) => {
    expect(evaluators.ours(input)).toEqual(evaluators.theirs(input))
  })

  test.each(LOG_ENTRYPOINTS)('says of every event what it says in the SDK: %s', (entrypoint) => {
    for (const { input } of cases) {
      const event = { decision_id: '1', path: ENTRYPOINT, input, result: { allow: true, risk: 9 } }
      expect(evaluators.ours(event, entrypoint)).toEqual(evaluators.theirs(event, entrypoint))
    }
  })

  test('decides as in the SDK when members of a case are exchanged for others', () => {
    const inputs = cases.map(({ input }) => input)
    const [{ input: first } = { input: undefined }] = cases
    const members = Object.keys(first ?? {}) as (keyof (typeof inputs)[number])[]
    const mixed = fc.record(
      Object.fromEntries(
        members.map((name) => [name, fc.constantFrom(...inputs.map((input) => input[name]))]),
      ),
    )
    fc.assert(
      fc.property(mixed, (input) => {
        expect(evaluators.ours(input)).toEqual(evaluators.theirs(input))
      }),
      { numRuns: 500 },
    )
  })
})

describe('a policy that returns its input', () => {
  let evaluators: Evaluators
  beforeAll(async () => {
    evaluators = await evaluatorsOf(await compileRules('decision := input'))
  })

  test('returns the same as in the SDK, whatever the input', () => {
    // An object at the top: what is falsy the SDK takes for no input at all.
    const input = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ stringUnit: 'binary' }))
    fc.assert(
      fc.property(input, (value) => {
        expect(evaluators.ours(value)).toEqual(evaluators.theirs(value))
      }),
      { numRuns: 300 },
    )
  })

  test.each([
    ['texts of one, two, three and four bytes', { text: 'a\u00e9\u20ac\u{1f600}\u0000\u007f\u0080\uffff' }],
    ['more than the memory has free', { text: '\u20ac'.repeat(40_000) }],
    ['little, after much', { text: 'x' }],
    ['nothing', {}],
  ])('returns the same as in the SDK, one after another: %s', (_, input) => {
    expect(evaluators.ours(input)).toEqual([{ result: input }])
    expect(evaluators.theirs(input)).toEqual([{ result: input }])
  })

  test('evaluates no input above its bound in bytes', () => {
    const text = 'x'.repeat(INPUT_BOUNDS.maxBytes - '{"text":""}'.length)
    expect(evaluators.ours({ text })).toEqual([{ result: { text } }])
    expect(evaluators.ours({ text: `${text}x` })).toBeUndefined()
    expect(evaluators.ours({ text: `${text.slice(1)}\u00e9` })).toBeUndefined()
  })
})
