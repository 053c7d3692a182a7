import { decodeParameter } from './raw-path.ts'
import type { Template } from './template.ts'

/** What a template leads to, and how the values of its parameters are read. */
interface Leaf<T> {
  readonly value: T
  readonly path: string
  readonly template: Template
}

interface Node<T> {
  readonly literals: Map<string, Node<T>>
  digits: Node<T> | undefined
  parameter: Node<T> | undefined
  /** By method: templates that end here. */
  readonly leaves: Map<string, Leaf<T>>
  /** By method: templates whose last parameter begins here and runs to the end of the path. */
  readonly tails: Map<string, Leaf<T>>
}

type Found<T> =
  | { readonly kind: 'found'; readonly value: T; readonly pathParams: Readonly<Record<string, string>> }
  | { readonly kind: 'unknown' }
  /** The value of a parameter is not one its template takes. */
  | { readonly kind: 'invalid'; readonly reason: string }
  /** The upstream may read another template into the same path. */
  | { readonly kind: 'ambiguous'; readonly reason: string }

export interface PathTrie<T> {
  /** @returns the path that is already there for this method and shape, and stays. */
  insert(method: string, path: string, template: Template, value: T): string | undefined
  find(method: string, segments: readonly string[]): Found<T>
}

interface Hit<T> {
  readonly leaf: Leaf<T>
  readonly captures: readonly string[]
  /** A tail of several raw segments, one of which a sibling template knows by name. */
  readonly contested: string | undefined
}

const DIGITS = /^[0-9]{1,20}$/

/**
 * A trie over raw path segments. A literal wins over a parameter and a parameter over a tail, each segment on its own,
 * as OpenAPI prescribes for concrete and templated paths. Work grows with the number of segments; the few places where
 * a literal and a parameter stand side by side are tried in that order.
 */
export function createPathTrie<T>(): PathTrie<T> {
  const root = createNode<T>()
  return {
    insert: (method, path, template, value) => insert(root, method, { value, path, template }),
    find: (method, segments) => {
      const hit = walk(root, method, segments, 0, [])
      return hit === undefined ? { kind: 'unknown' } : readHit(hit)
    },
  }
}

function createNode<T>(): Node<T> {
  return { literals: new Map(), digits: undefined, parameter: undefined, leaves: new Map(), tails: new Map() }
}

function insert<T>(root: Node<T>, method: string, leaf: Leaf<T>): string | undefined {
  const { segments, tail } = leaf.template
  let node = root
  segments.forEach((segment, index) => {
    if (tail && index === segments.length - 1) return
    node = childFor(node, segment)
  })
  const leaves = tail ? node.tails : node.leaves
  const present = leaves.get(method)
  if (present === undefined) leaves.set(method, leaf)
  return present?.path
}

function childFor<T>(node: Node<T>, segment: Template['segments'][number]): Node<T> {
  if (segment.kind === 'literal') {
    const present = node.literals.get(segment.text)
    if (present !== undefined) return present
    const child = createNode<T>()
    node.literals.set(segment.text, child)
    return child
  }
  if (segment.digits) return (node.digits ??= createNode<T>())
  return (node.parameter ??= createNode<T>())
}

function walk<T>(
  node: Node<T>,
  method: string,
  segments: readonly string[],
  index: number,
  captures: string[],
): Hit<T> | undefined {
  if (index === segments.length) {
    const leaf = node.leaves.get(method)
    return leaf === undefined ? undefined : { leaf, captures: captures.slice(), contested: undefined }
  }
  const segment = segments[index] ?? ''
  const literal = node.literals.get(segment)
  const hit = literal === undefined ? undefined : walk(literal, method, segments, index + 1, captures)
  // A parameter is never empty: a trailing slash must not turn a collection into one of its members.
  if (hit !== undefined || segment === '') return hit
  return (
    (node.digits !== undefined && DIGITS.test(segment)
      ? capture(node.digits, method, segments, index, captures)
      : undefined) ??
    (node.parameter !== undefined ? capture(node.parameter, method, segments, index, captures) : undefined) ??
    tailHit(node, method, segments, index, captures)
  )
}

function capture<T>(
  child: Node<T>,
  method: string,
  segments: readonly string[],
  index: number,
  captures: string[],
): Hit<T> | undefined {
  captures.push(segments[index] ?? '')
  const hit = walk(child, method, segments, index + 1, captures)
  captures.pop()
  return hit
}

function tailHit<T>(
  node: Node<T>,
  method: string,
  segments: readonly string[],
  index: number,
  captures: readonly string[],
): Hit<T> | undefined {
  const leaf = node.tails.get(method)
  if (leaf === undefined) return undefined
  const rest = segments.slice(index)
  const siblings = node.parameter?.literals
  // `commits/heads/main/status`: the upstream may take `heads/main` as the ref and `status` as the operation.
  const contested =
    siblings === undefined ? undefined : rest.slice(1).find((segment) => siblings.has(segment))
  return { leaf, captures: [...captures, rest.join('/')], contested }
}

function readHit<T>({ leaf, captures, contested }: Hit<T>): Found<T> {
  if (contested !== undefined) {
    return {
      kind: 'ambiguous',
      reason: `"${contested}" may be part of a value or an operation; send %2F in values`,
    }
  }
  const { parameters, slashes } = leaf.template
  const pathParams: Record<string, string> = {}
  for (const [index, name] of parameters.entries()) {
    const value = decodeParameter(captures[index] ?? '', slashes[index] === true)
    if (value === undefined) return { kind: 'invalid', reason: `the value of {${name}}` }
    pathParams[name] = value
  }
  return { kind: 'found', value: leaf.value, pathParams }
}
