import type { Operation } from '../catalog/connector.ts'
import type { LimitMatch, LimitsConfig } from '../config/config.ts'
import type { ConfigProblem } from '../config/problem.ts'
import { matches, matchesOperation } from './limit-rules.ts'

/** The part of a catalogue that limits are matched against. */
interface Operations {
  readonly connectors: readonly { readonly name: string }[]
  operations(connector: string): readonly Operation[]
}

/** Limits that could never refuse a call: with a slip of the pen in an operation's name, nothing is limited. */
export function idleLimits(limits: LimitsConfig, catalog: Operations): ConfigProblem[] {
  const names = catalog.connectors.map(({ name }) => name)
  const operations = names.flatMap((name) => catalog.operations(name))
  const ids = operations.map(({ id }) => id)
  return (['rates', 'quotas', 'concurrency'] as const).flatMap((kind) =>
    limits[kind].flatMap(({ match }, index) => {
      const path = `limits.${kind}.${index}.match`
      const unknown = [
        ...unmatched(match.connectors, names, `${path}.connectors`, 'connector'),
        ...unmatched(match.operations, ids, `${path}.operations`, 'operation'),
      ]
      return unknown.length > 0 ? unknown : idle(match, operations, path)
    }),
  )
}

function unmatched(
  patterns: readonly string[],
  names: readonly string[],
  path: string,
  what: string,
): ConfigProblem[] {
  return patterns.flatMap((pattern, index) =>
    names.some((name) => matches([pattern], name))
      ? []
      : [{ path: `${path}.${index}`, reason: `${pattern} is no ${what} of the configured connectors` }],
  )
}

function idle(match: LimitMatch, operations: readonly Operation[], path: string): ConfigProblem[] {
  if (operations.some((operation) => matchesOperation(match, operation))) return []
  return [{ path, reason: 'no operation meets all of it, so nothing is limited' }]
}
