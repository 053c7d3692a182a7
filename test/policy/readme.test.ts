import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { compileBundle } from '../../gateway/policy/authoring/compile.ts'
import { evaluatorOf } from '../../gateway/policy/authoring/evaluator-of.ts'
import { readCases } from '../../gateway/policy/authoring/cases.ts'
import { policyFile } from '../../gateway/policy/authoring/policy-file.ts'
import { readSources, rootsOf } from '../../gateway/policy/authoring/read-sources.ts'

const POLICIES = join(import.meta.dirname, '..', '..', 'policies-rego')
const README = await readFile(join(POLICIES, 'README.md'), 'utf8')

/** Kind of data and entry of each row of the table of entries. */
const ENTRIES = [...README.matchAll(/^\| [^|]+ \| (?:`(\w+)`|the same) +\| `([^`]+)` +\|$/gm)].map(
  ([, name = 'sequences', entry = '']) => [name, entry] as const,
)

/** A schema that asks for nothing: an entry is shown without those beside it. */
function withoutRequired(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutRequired)
  if (typeof schema !== 'object' || schema === null) return schema
  const members = Object.entries(schema).filter(
    ([name, value]) => name !== 'required' || !Array.isArray(value),
  )
  return Object.fromEntries(members.map(([name, value]) => [name, withoutRequired(value)]))
}

describe('the README of the policy folder', () => {
  test.each(ENTRIES)('shows an entry of %s as its schema has it: %s', async (name, entry) => {
    const schema = JSON.parse(await readFile(join(POLICIES, 'schemas', 'data.json'), 'utf8')) as {
      properties: Record<string, object>
    }
    const validate = new Ajv2020({ strict: false }).compile(
      withoutRequired(schema.properties[name]) as object,
    )
    const shown: unknown = JSON.parse(`{${entry.replaceAll(', …', '')}}`)
    const whole = name === 'sequences' && entry.startsWith('"after"') ? { any: shown } : shown
    expect({ entry, ok: validate(whole), errors: validate.errors }).toEqual({ entry, ok: true, errors: null })
  })

  test('has entries for every kind of rule that is data', () => {
    expect(ENTRIES.length).toBeGreaterThan(12)
  })

  test('shows a rule that compiles where it says, and denies what it says', async () => {
    const [, block = ''] = /```rego\n([^]*?)```/.exec(README) ?? []
    const sources = new Map(await readSources(POLICIES))
    const pack = 'gateway/change_control.rego'
    sources.set(pack, `${sources.get(pack)}\n${block.replaceAll(/^ {3}/gm, '')}`)
    sources.set('registry/change_days/data.json', '{"monday": true}')
    const policy = await evaluatorOf(
      await policyFile(await compileBundle({ sources, roots: rootsOf(sources) })),
    )
    const note = (await readCases(join(POLICIES, 'cases'))).find(
      ({ input, expected }) => input.operation.access === 'write' && expected.effect === 'allow',
    )
    if (note === undefined) throw new Error('no case of an allowed change')
    const rulesOn = (weekday: 'monday' | 'friday'): unknown => {
      const verdict = policy.decide({ ...note.input, time: { ...note.input.time, weekday } })
      return verdict.ok && verdict.value.reasons.map(({ rule }) => rule)
    }
    expect([rulesOn('monday'), rulesOn('friday')]).toEqual([[], ['R047']])
  })
})
