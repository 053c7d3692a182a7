import * as fc from 'fast-check'
import findMyWay from 'find-my-way'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Catalog, ListedOperation } from '../../../gateway/catalog/catalog.ts'
import { CONNECTORS, connectorNamed, loadCommitted } from './catalog-harness.ts'

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE' | 'PATCH'

const catalog: Catalog = loadCommitted()

function idOf(connector: string, method: string, path: string): string | undefined {
  const matched = catalog.match(connectorNamed(catalog, connector), method, path)
  return matched.ok ? matched.value.operation.id : undefined
}

/** A router by other hands, given the published templates alone. */
function oracleOf(
  operations: readonly ListedOperation[],
): (method: Method, path: string) => string | undefined {
  const router = findMyWay({ ignoreTrailingSlash: false, caseSensitive: true })
  for (const { id, method, template } of operations) {
    const path = template.replaceAll(/\{([^}]+)\}/g, (_all, name: string) => `:${name.replaceAll('-', '_')}`)
    router.on(method as Method, path, () => undefined, { id })
  }
  return (method, path) => {
    const store: unknown = router.find(method, path)?.store
    return (store as { id: string } | undefined)?.id
  }
}

describe.each(CONNECTORS)('the catalogue of %s', (connector) => {
  const operations = catalog.operations(connector)
  const oracle = oracleOf(operations)

  it('finds every operation by its own template, with the values it was given', () => {
    const lost = operations.filter(({ id, method, template }) => {
      const matched = catalog.match(
        connectorNamed(catalog, connector),
        method,
        template.replaceAll(/\{[^}]+\}/g, 'x1'),
      )
      if (!matched.ok || matched.value.operation.id !== id) return true
      return Object.values(matched.value.pathParams).some((value) => value !== 'x1')
    })
    expect(lost).toEqual([])
  })

  it('agrees with find-my-way on every template and plain value', () => {
    const value = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/)
    const literals = [...new Set(operations.flatMap(({ template }) => template.split('/')))].filter(
      (segment) => segment !== '' && !segment.includes('{'),
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...operations),
        fc.array(
          fc.oneof({ weight: 4, arbitrary: value }, { weight: 1, arbitrary: fc.constantFrom(...literals) }),
          {
            minLength: 8,
            maxLength: 8,
          },
        ),
        ({ method, template }, values) => {
          let next = 0
          const path = template.replaceAll(/\{[^}]+\}/g, () => values[next++] ?? 'x')
          expect(idOf(connector, method, path)).toBe(oracle(method as Method, path))
        },
      ),
      { numRuns: 3000 },
    )
  })

  it('agrees with find-my-way on numbers, which aliases take, too', () => {
    for (const { method, template } of operations) {
      const path = template.replaceAll(/\{[^}]+\}/g, '1024025')
      expect(`${path} ${idOf(connector, method, path) ?? ''}`).toBe(
        `${path} ${oracle(method as Method, path) ?? ''}`,
      )
    }
  })

  it('finds whatever find-my-way finds when a segment is changed, added or dropped', () => {
    const segment = fc.stringMatching(/^[a-z]{1,8}$/)
    fc.assert(
      fc.property(fc.constantFrom(...operations), fc.nat(12), fc.option(segment), (operation, at, other) => {
        const segments = operation.template
          .slice(1)
          .split('/')
          .map((each) => (each.includes('{') ? 'v-1' : each))
        segments.splice(at % (segments.length + 1), at % 2, ...(other === null ? [] : [other]))
        const path = `/${segments.join('/')}`
        const found = idOf(connector, operation.method, path)
        // Tails and aliases are ours alone, so where the other router finds nothing there is nothing to compare.
        expect(found).toBe(oracle(operation.method as Method, path) ?? found)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('HEAD, and methods that are nobody’s', () => {
  let paths: string[]
  beforeAll(() => {
    paths = catalog
      .operations('github')
      .flatMap(({ method, template }) => (method === 'GET' ? [template] : []))
  })

  it('HEAD is GET everywhere', () => {
    for (const template of paths) {
      const path = template.replaceAll(/\{[^}]+\}/g, 'x1')
      expect(idOf('github', 'HEAD', path)).toBe(idOf('github', 'GET', path))
    }
  })

  it.each(['OPTIONS', 'TRACE', 'CONNECT', 'get', 'PROPFIND', ''])('%j finds nothing', (method) => {
    expect(idOf('github', method, '/repos/a/b')).toBeUndefined()
  })
})
