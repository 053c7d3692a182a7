import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { deriveCatalogue } from '../../../connectors/tools/catalogues.ts'
import { findPackage } from '../../../connectors/tools/inputs.ts'
import { operationsOfSdk } from '../../../connectors/tools/sources/sdk-endpoints.ts'
import { CONNECTORS, connectorNamed, loadCommitted } from './catalog-harness.ts'

interface OperationsFile {
  readonly sources: readonly {
    name: string
    version: string
    licence: string
    sha256: string
    operations: number
  }[]
  readonly operations: readonly { id: string; method: string; path: string }[]
}

const packages = fileURLToPath(new URL('../../../node_modules', import.meta.url))

function textOf(connector: string): string {
  return readFileSync(new URL(`../../../connectors/${connector}/operations.json`, import.meta.url), 'utf8')
}

function fileOf(connector: string): OperationsFile {
  return JSON.parse(textOf(connector)) as OperationsFile
}

const catalog = loadCommitted()

describe.each(CONNECTORS)('the committed catalogue of %s', (connector) => {
  const { sources, operations } = fileOf(connector)

  it('names its sources with version, licence, digest and count', () => {
    for (const source of sources) {
      expect(source).toMatchObject({ name: expect.any(String), version: expect.stringMatching(/\S/) })
      expect(source.licence).not.toBe('')
      expect(source.sha256).toMatch(/^[0-9a-f]{64}$/)
    }
    expect(sources.reduce((sum, source) => sum + source.operations, 0)).toBe(operations.length)
  })

  it('is sorted by id, and no id or shape is there twice', () => {
    const ids = operations.map(({ id }) => id)
    expect(ids).toEqual(ids.toSorted((a, b) => (a < b ? -1 : 1)))
    expect(new Set(ids).size).toBe(ids.length)
    const shapes = operations.map(({ method, path }) => `${method} ${path.replaceAll(/\{[^}]*\}/g, '{}')}`)
    expect(new Set(shapes).size).toBe(shapes.length)
  })

  it('holds one operation on a line, and nothing but facts', () => {
    const lines = textOf(connector)
      .split('\n')
      .filter((line) => line.startsWith('    {"id":'))
    expect(lines).toHaveLength(operations.length)
    const keys = new Set(operations.flatMap((operation) => Object.keys(operation)))
    const facts = new Set(['id', 'method', 'path', 'slash', 'origin', 'consumes', 'scopes', 'deprecated'])
    expect([...keys].filter((key) => !facts.has(key))).toEqual([])
  })

  it('gives nothing that only reads a high risk, and nothing that runs or deletes a low one', () => {
    const odd = catalog.operations(connector).filter(({ access, method, risk }) => {
      if (access === 'read' ? risk > 3 : risk < 2) return true
      return (access === 'execute' && risk < 4) || (method === 'DELETE' && risk < 2)
    })
    expect(odd.map(({ id, access, risk }) => [id, access, risk])).toEqual([])
  })
})

describe('deriving a catalogue again', () => {
  it('gives the committed bytes for Slack', () => {
    expect(deriveCatalogue('slack', [packages])).toBe(textOf('slack'))
  })

  it.each([
    ['confluence', 'confluence.js', 'dist/v1/api', 'v1/'],
    ['jira', 'jira.js', 'src/serviceDesk/api', 'servicedesk/'],
  ])('gives the committed lines of %s that come from %s', (connector, name, folder, prefix) => {
    const published = operationsOfSdk(findPackage([packages], name), name, folder, prefix)
    const { sources, operations } = fileOf(connector)
    expect(sources).toContainEqual(published.source)
    const own = operations.filter(({ id }) => id.startsWith(prefix))
    expect(published.operations.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual(own)
  })

  it('fails, saying what is missing, without its inputs', () => {
    expect(() => deriveCatalogue('github', ['/nonexistent'])).toThrow(
      'the package @octokit/openapi is in none of',
    )
    expect(() => deriveCatalogue('jira', ['/nonexistent'])).toThrow('jira-platform-v3.json is in none of')
    expect(() => deriveCatalogue('sap', ['/nonexistent'])).toThrow('no catalogue is derived for sap')
  })
})

it('shows policy an account for every operation of GitHub whose path names one', () => {
  const github = connectorNamed(catalog, 'github')
  const named = /\{(username|user_id|account_id|org|owner|enterprise|organization_id)\}/
  const hidden = catalog.operations('github').filter(({ method, template }) => {
    if (!named.test(template)) return false
    const matched = catalog.match(github, method, template.replaceAll(/\{[^}]+\}/g, '12'))
    if (!matched.ok) return true
    const { operation, pathParams } = matched.value
    const view = catalog.view(operation, { pathParams, query: '', body: { kind: 'none' }, digest: '' })
    return view.ok && view.value.resource.account === ''
  })
  expect(hidden.map(({ id }) => id)).toEqual([])
})
