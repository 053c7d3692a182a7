import { collectInputs, isObject, referencePath } from './input-reads.ts'
import type { Holds } from './probe-rules.ts'

/** What `opa eval --partial` prints: queries that remain, and the rules that they need. */
export interface PartialResult {
  readonly queries?: readonly (readonly unknown[])[]
  readonly modules?: readonly {
    readonly rules?: readonly {
      readonly head: { readonly name?: string; readonly ref?: readonly { readonly value: unknown }[] }
    }[]
  }[]
}

/**
 * Reads which members of a set are there: surely where only the name of the member is left of the query, otherwise
 * depending on those members of the input that the rest of the query reads.
 */
export function readResidue({ queries = [], modules = [] }: PartialResult): ReadonlyMap<string, Holds> {
  const supports = new Map<string, unknown[]>()
  for (const rule of modules.flatMap(({ rules = [] }) => rules)) {
    const name = String(rule.head.name ?? rule.head.ref?.[0]?.value)
    supports.set(name, [...(supports.get(name) ?? []), rule])
  }
  const found = new Map<string, Holds>()
  for (const query of queries) {
    const name = memberOf(query)
    if (name === undefined) throw new Error('opa left a query that does not name its rule')
    const rest = query.filter((expression) => nameIn(expression) === undefined)
    if (found.get(name)?.holds === true) continue
    const before = found.get(name)
    const on = new Set(before !== undefined && 'on' in before ? before.on : [])
    const needed = new Map<string, unknown>()
    collectSupports(rest, supports, needed)
    collectInputs([rest, ...needed.values()], on)
    found.set(name, rest.length === 0 ? { holds: true } : { holds: 'depends', on: [...on].sort() })
  }
  return found
}

function memberOf(query: readonly unknown[]): string | undefined {
  for (const expression of query) {
    const name = nameIn(expression)
    if (name !== undefined) return name
  }
  return undefined
}

/** The text in `x = "text"`. */
function nameIn(expression: unknown): string | undefined {
  const terms: unknown = isObject(expression) ? expression['terms'] : undefined
  if (!Array.isArray(terms) || terms.length !== 3) return undefined
  const [left, right] = terms.slice(1) as readonly unknown[]
  const [variable, text] = isVariable(left) ? [left, right] : [right, left]
  if (!isVariable(variable) || variable['value'] !== 'x' || !isObject(text) || text['type'] !== 'string')
    return undefined
  return String(text['value'])
}

function isVariable(term: unknown): term is Record<string, unknown> {
  return isObject(term) && term['type'] === 'var'
}

/** Adds the supporting rules that a node refers to, and those that they refer to. */
function collectSupports(
  node: unknown,
  supports: ReadonlyMap<string, unknown>,
  found: Map<string, unknown>,
): void {
  if (Array.isArray(node)) {
    for (const child of node) collectSupports(child, supports, found)
    return
  }
  if (!isObject(node)) return
  const [root, ...names] = referencePath(node)
  for (const name of root === 'data' ? names : []) {
    if (found.has(name) || !supports.has(name)) continue
    found.set(name, supports.get(name))
    collectSupports(supports.get(name), supports, found)
  }
  for (const child of Object.values(node)) collectSupports(child, supports, found)
}
