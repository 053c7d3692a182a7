import { describe, expect, it } from 'vitest'
import { checkData } from '../../../gateway/policy/authoring/check-data.ts'
import { policyFolder, SMALL_POLICY } from '../../harness/policy-command.ts'

const SCHEMA = JSON.stringify({
  type: 'object',
  additionalProperties: false,
  properties: {
    agents: { type: 'object', additionalProperties: { type: 'object' } },
    rules: {
      type: 'object',
      propertyNames: { pattern: '^R', not: { const: 'R001' } },
      additionalProperties: { properties: { mode: { enum: ['enforce', 'report'] } } },
    },
  },
})

async function mistakesIn(data: Readonly<Record<string, string>>) {
  const files = Object.entries(data).map(([name, text]) => [`data/registry/${name}/data.json`, text] as const)
  await using folder = await policyFolder({
    ...SMALL_POLICY,
    'schemas/data.json': SCHEMA,
    ...Object.fromEntries(files),
  })
  return await checkData(folder.path)
}

describe('the data of a policy folder', () => {
  it('is not looked at where no schema describes it', async () => {
    await using folder = await policyFolder(SMALL_POLICY)
    expect(await checkData(folder.path)).toBeUndefined()
  })

  it('passes as its schema has it', async () => {
    expect(await mistakesIn({ rules: '{"R043": {"mode": "report"}}' })).toEqual([])
  })

  it('is told of every mistake with its place', async () => {
    const mistakes = await mistakesIn({
      agents: '{"a/b": 7}',
      rules: '{"R043": {"mode": "off"}}',
      agent: '{}',
    })
    expect(mistakes).toEqual([
      'data.registry must NOT have additional properties: agent',
      'data.registry.agents.a/b must be object',
      'data.registry.rules.R043.mode must be equal to one of the allowed values: enforce, report',
    ])
  })

  it('is told of a name that is not allowed, and of a mode for a rule that is not there', async () => {
    expect(await mistakesIn({ rules: '{"X1": {}, "R999": {}, "R001": {}}' })).toEqual([
      'data.registry.rules does not take this: R001',
      'data.registry.rules must match pattern "^R": X1',
      'data.registry.rules names a rule that is not there: R001',
      'data.registry.rules names a rule that is not there: R999',
      'data.registry.rules names a rule that is not there: X1',
    ])
  })
})
