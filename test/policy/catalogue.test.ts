import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ListedOperation } from '../../gateway/catalog/catalog.ts'
import { readCases } from '../../gateway/policy/authoring/cases.ts'
import { CONNECTORS, loadCommitted } from '../unit/catalog/catalog-harness.ts'

const POLICIES = join(import.meta.dirname, '..', '..', 'policies-rego')
const catalog = loadCommitted()
const operations = new Map<string, ListedOperation>(
  CONNECTORS.flatMap((name) =>
    catalog.operations(name).map((operation) => [operation.id, operation] as const),
  ),
)

async function registry<T>(name: string): Promise<readonly (readonly [string, T])[]> {
  const text = await readFile(join(POLICIES, 'data', 'registry', name, 'data.json'), 'utf8')
  return Object.entries(JSON.parse(text) as Record<string, T>)
}

describe('the registry', () => {
  test('grants only operations that a connector has', async () => {
    const roles = await registry<{ operations: object; reads: object }>('roles')
    const granted = roles.flatMap(([, role]) => Object.keys(role.operations))
    expect(granted.filter((id) => !operations.has(id))).toEqual([])
    const read = roles.flatMap(([, role]) => Object.keys(role.reads))
    expect(read.filter((name) => catalog.operations(name).length === 0)).toEqual([])
  })

  test('knows every connector, and no operation that there is not', async () => {
    const tools = await registry<{ operations: object }>('tools')
    expect(tools.map(([name]) => name).sort()).toEqual([...CONNECTORS].sort())
    expect(
      tools.flatMap(([, tool]) => Object.keys(tool.operations)).filter((id) => !operations.has(id)),
    ).toEqual([])
  })

  test('calls advisory only writes that can be taken back, and say where they go', async () => {
    const advisory = await registry<{ resource: string }>('advisory')
    for (const [id, { resource }] of advisory) {
      expect(operations.get(id)).toMatchObject({ access: 'write', reversible: true })
      expect(operations.get(id)?.resources).toContain(resource)
    }
  })

  test('demands of a tool the kind of resource that its operations name', async () => {
    const tools = await registry<{ names: string }>('tools')
    for (const [name, tool] of tools) {
      const naming = catalog.operations(name).filter(({ resources }) => resources.includes(tool.names))
      expect(naming.length).toBeGreaterThan(0)
    }
  })
})

describe('the cases', () => {
  test('describe operations as the catalogue does, where they do not say otherwise', async () => {
    const cases = (await readCases(join(POLICIES, 'cases'))).filter(
      ({ title }) => !title.includes('"operation"'),
    )
    for (const { input } of cases) {
      const { id, connector, access, risk, data_class: dataClass, reversible } = input.operation
      expect(operations.get(id)).toMatchObject({ id, connector, access, risk, dataClass, reversible })
    }
    expect(cases.length).toBeGreaterThan(40)
  })
})
