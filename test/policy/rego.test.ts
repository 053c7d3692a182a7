import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { INPUT_V1 } from '../../gateway/policy/input.ts'
import { BOUNDARY_REASONS, REASONS, type ReasonCode } from '../../gateway/policy/reasons.ts'
import { NOBODY } from '../../gateway/policy/evaluation/self-test.ts'
import { derivedFiles } from '../../gateway/policy/authoring/build-policy.ts'
import { readCases } from '../../gateway/policy/authoring/cases.ts'
import { runOpa } from '../harness/opa.ts'

const POLICIES = join(import.meta.dirname, '..', '..', 'policies-rego')

interface RuleAnnotation {
  readonly annotations: {
    readonly scope: string
    readonly title?: string
    readonly description?: string
    readonly custom?: { readonly id?: string }
  }
  readonly location: { readonly file: string; readonly row: number }
}

async function regoSources(): Promise<ReadonlyMap<string, string>> {
  const names = (await readdir(join(POLICIES, 'gateway'))).filter((name) => name.endsWith('.rego')).sort()
  const read = names.map(
    async (name) => [name, await readFile(join(POLICIES, 'gateway', name), 'utf8')] as const,
  )
  return new Map(await Promise.all(read))
}

async function readJson(name: string): Promise<unknown> {
  return JSON.parse(await readFile(join(POLICIES, name), 'utf8')) as unknown
}

/** `{"code": …, "rule": …}` of every deny rule, and the id of every obligation, with the file it stands in. */
async function rulesInSources(): Promise<
  readonly { file: string; rule: string; code: string | undefined }[]
> {
  const rules = []
  for (const [file, text] of await regoSources()) {
    if (file.endsWith('_test.rego')) continue
    for (const [, code, rule] of text.matchAll(
      /deny contains \{\s*"code": "([^"]+)",\s*"rule": "([^"]+)"/g,
    )) {
      rules.push({ file, rule: rule ?? '', code })
    }
    for (const [, rule] of text.matchAll(/obligation contains \{\s*"id": "([^"]+)"/g)) {
      rules.push({ file, rule: rule ?? '', code: undefined })
    }
  }
  return rules
}

describe('the Rego sources', () => {
  test('are formatted', async () => {
    expect(await runOpa(['fmt', '--list', 'gateway', 'system'], POLICIES)).toBe('')
  })

  test('pass the strict check, read no member that the schemas do not have, and call no builtin but native ones', async () => {
    const flags = ['--strict', '--schema', 'schemas', '--capabilities', 'capabilities.json']
    await expect(runOpa(['check', ...flags, 'gateway', 'system', 'data'], POLICIES)).resolves.toBe('')
  })

  test('pass their own tests, which cover them', { timeout: 60_000 }, async () => {
    const printed = await runOpa(
      ['test', '--coverage', '--threshold', '90', 'gateway', 'system', 'data'],
      POLICIES,
    )
    expect(JSON.parse(printed)).toMatchObject({ not_covered_lines: 0 })
  })

  test('use exactly the reason codes that the gateway knows', async () => {
    const used = new Set((await rulesInSources()).flatMap(({ code }) => code ?? []))
    expect([...used].sort()).toEqual(Object.keys(REASONS).sort())
  })

  test('hold the same boundary as the gateway, whatever is in report mode', async () => {
    const printed = await runOpa(
      ['eval', '-d', 'gateway', '-f', 'raw', 'data.gateway.decision.boundary'],
      POLICIES,
    )
    expect(new Set(JSON.parse(printed) as string[])).toEqual(new Set(BOUNDARY_REASONS))
  })

  test('keep every rule of the boundary out of report mode by the schema of the data', async () => {
    const validate = new Ajv2020({ strictTypes: false }).compile({
      ...((await readJson('schemas/data.json')) as { properties: { rules: object } }).properties.rules,
    })
    for (const { rule, code } of await rulesInSources()) {
      const holdsBoundary = code !== undefined && BOUNDARY_REASONS.has(code as ReasonCode)
      expect({ rule, ok: validate({ [rule]: { mode: 'report' } }) }).toEqual({ rule, ok: !holdsBoundary })
    }
  })

  test('are put into report mode by ids that there are', async () => {
    const rules = await rulesInSources()
    const denying = new Set(rules.filter(({ code }) => code !== undefined).map(({ rule }) => rule))
    const modes = Object.keys((await readJson('data/registry/rules/data.json')) as object)
    expect(modes.filter((id) => !denying.has(id))).toEqual([])
  })

  test('write no deny or obligation in a form that these tests cannot read', async () => {
    const heads = [...(await regoSources())]
      .filter(([file]) => !file.endsWith('_test.rego'))
      .flatMap(([, text]) => [...text.matchAll(/^(?:deny|obligation) contains/gm)])
    expect(heads).toHaveLength((await rulesInSources()).length)
  })

  test('give every rule an id of its own, a title and a description', async () => {
    const printed = await runOpa(['inspect', '--annotations', '--format', 'json', 'gateway'], POLICIES)
    const { annotations } = JSON.parse(printed) as { annotations: readonly RuleAnnotation[] }
    const described = annotations.flatMap(({ annotations: { title, description, custom } }) =>
      custom?.id !== undefined && title !== undefined && description !== undefined ? [custom.id] : [],
    )
    expect(described.sort()).toEqual((await rulesInSources()).map(({ rule }) => rule).sort())
    expect(new Set(described).size).toBe(described.length)
  })

  test('have a test in which each rule fires and one in which it stays quiet', async () => {
    const sources = await regoSources()
    for (const { file, rule } of await rulesInSources()) {
      const tests = sources.get(file.replace('.rego', '_test.rego')) ?? ''
      expect(tests).toMatch(new RegExp(`^test_${rule.toLowerCase()}_fires`, 'm'))
      expect(tests).toMatch(new RegExp(`^test_${rule.toLowerCase()}_quiet`, 'm'))
    }
  })
})

/** What a schema has against a value. */
function mistakes(validate: ValidateFunction, value: unknown): readonly unknown[] {
  return validate(value) ? [] : (validate.errors ?? ['invalid'])
}

describe('the schemas', () => {
  const ajv = new Ajv2020({ allErrors: true, strictTypes: false })
  const input = ajv.compile(INPUT_V1.schema)

  test('accept every input of the cases and the self-test', async () => {
    for (const { input: each } of await readCases(join(POLICIES, 'cases'))) {
      expect(mistakes(input, each)).toEqual([])
    }
    expect(mistakes(input, NOBODY)).toEqual([])
  })

  test('refuse an input with a member too many, too few, or of another type', () => {
    expect(input({ ...NOBODY, extra: 1 })).toBe(false)
    expect(input({ ...NOBODY, tenant: undefined })).toBe(false)
    expect(input({ ...NOBODY, agent: { ...NOBODY.agent, admin: true } })).toBe(false)
    expect(input({ ...NOBODY, v: 2 })).toBe(false)
  })

  test('describe the registry in the bundle', async () => {
    const registry = ajv.compile((await readJson('schemas/data.json')) as object)
    const evaluated = await runOpa(['eval', '-d', 'data', '-f', 'json', 'data.registry'], POLICIES)
    const { result } = JSON.parse(evaluated) as { result: [{ expressions: [{ value: unknown }] }] }
    expect(mistakes(registry, result[0].expressions[0].value)).toEqual([])
  })
})

describe('the committed files', () => {
  test('are what a rebuild with the pinned opa gives', async () => {
    const files = await derivedFiles({ directory: POLICIES })
    expect(files.map(({ path, current }) => ({ path: relative(POLICIES, path), current }))).toEqual([
      { path: 'schemas/event.json', current: true },
      { path: 'schemas/input.json', current: true },
      { path: 'bundle.tar.gz', current: true },
    ])
  })

  test('are rebuilt to the same bytes every time', async () => {
    const [first, second] = await Promise.all([
      derivedFiles({ directory: POLICIES }),
      derivedFiles({ directory: POLICIES }),
    ])
    expect(first).toEqual(second)
  })
})
