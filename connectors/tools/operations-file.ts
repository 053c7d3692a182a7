import type { PublishedOperation } from '../../gateway/catalog/folder.ts'

/** Where operations came from; `sha256` is of the input as it was read. */
export interface PublishedSource {
  readonly name: string
  readonly version: string
  readonly licence: string
  readonly sha256: string
  readonly operations: number
}

export interface Published {
  readonly source: PublishedSource
  readonly operations: readonly PublishedOperation[]
}

/**
 * The text of `operations.json`: a header of sources, then one line for each operation, sorted by id, so that a
 * new version of a description reads as a line diff.
 *
 * @throws RangeError when two operations share an id, or a method and a path shape.
 */
export function formatOperations(connector: string, published: readonly Published[]): string {
  const operations = published.flatMap((part) => part.operations).toSorted((a, b) => (a.id < b.id ? -1 : 1))
  refuseDuplicates(operations, (operation) => operation.id)
  refuseDuplicates(operations, ({ method, path }) => `${method} ${path.replaceAll(/\{[^}]*\}/g, '{}')}`)
  const sources = published.map((part) => `    ${JSON.stringify(part.source)}`)
  const lines = operations.map((operation) => `    ${JSON.stringify(ordered(operation))}`)
  return [
    '{',
    `  "connector": ${JSON.stringify(connector)},`,
    '  "generator": "connectors/tools/derive-catalogue.ts",',
    '  "sources": [',
    sources.join(',\n'),
    '  ],',
    '  "operations": [',
    lines.join(',\n'),
    '  ]',
    '}',
    '',
  ].join('\n')
}

function refuseDuplicates(
  operations: readonly PublishedOperation[],
  keyOf: (operation: PublishedOperation) => string,
): void {
  const seen = new Map<string, string>()
  for (const operation of operations) {
    const key = keyOf(operation)
    const earlier = seen.get(key)
    if (earlier !== undefined) throw new RangeError(`${earlier} and ${operation.id} are both "${key}"`)
    seen.set(key, operation.id)
  }
}

/** Keys in one fixed order, empty ones left out: the same input gives the same bytes. */
function ordered(operation: PublishedOperation): PublishedOperation {
  const { id, method, path, slash, origin, consumes, scopes, deprecated } = operation
  return {
    id,
    method,
    path,
    ...(slash !== undefined && slash.length > 0 && { slash }),
    ...(origin !== undefined && { origin }),
    ...(consumes !== undefined && consumes.length > 0 && { consumes }),
    ...(scopes !== undefined && scopes.length > 0 && { scopes }),
    ...(deprecated === true && { deprecated }),
  }
}
