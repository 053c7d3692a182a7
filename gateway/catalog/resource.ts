import type { Resource } from '../exchange.ts'
import { pass, refuse, type Refusal, type Verdict } from '../refusal.ts'
import { hasLookalike, type Fields } from './fields.ts'
import {
  listOf,
  normalize,
  reads,
  RESOURCE_FIELDS,
  UNKNOWN_RESOURCE,
  type Placeholder,
  type ResourceField,
  type ResourceRule,
  type ResourceTemplate,
} from './resource-rule.ts'

/** Where resource rules read from: the call's three sources, as the upstream will read them. */
export interface ResourceSources {
  readonly path: Readonly<Record<string, string>>
  readonly query: Fields
  /** `unseen` is a body that policy cannot read, so that what it names is not known. */
  readonly body:
    | { readonly kind: 'none' | 'unseen' }
    | { readonly kind: 'json'; readonly value: unknown }
    | { readonly kind: 'form'; readonly fields: Fields }
}

export type ResourceRules = ReadonlyMap<ResourceField, ResourceRule>

/** A longer name is no vendor's; cutting it could make it equal to a name that is allowed. */
const MAX_VALUE_LENGTH = 512
const MAX_VALUES = 1000
const NO_VALUES: readonly string[] = []
const NONE: Verdict<readonly string[]> = { ok: true, value: NO_VALUES }

/**
 * The vendor-neutral view of what a call acts upon. A field that no rule declares is empty; a declared field that
 * the call does not name, or names in the plural, is `*`. A field named in two places that differ is refused, because
 * the upstream would follow one of them.
 */
export function readResource(
  rules: ResourceRules,
  sources: ResourceSources,
): Verdict<Omit<Resource, 'amount'>> {
  const resource: Record<ResourceField, string> = { project: '', repository: '', channel: '', account: '' }
  for (const field of RESOURCE_FIELDS) {
    const rule = rules.get(field)
    if (rule === undefined) continue
    const value = readField(rule, sources)
    if (!value.ok)
      return { ok: false, refusal: { ...value.refusal, detail: `${field}: ${value.refusal.detail}` } }
    resource[field] = value.value
  }
  return pass(resource)
}

function readField(rule: ResourceRule, sources: ResourceSources): Verdict<string> {
  const twin = twinInQuery(rule.bodyOnly, sources.query)
  if (twin !== undefined) return refuse('request.ambiguous', { detail: `"${twin}" is named in the query` })
  // What cannot be seen may name anything, whatever the query says.
  let several = sources.body.kind === 'unseen' && reads(rule, 'body')
  let found: string | undefined
  for (const template of rule.templates) {
    const values = readTemplate(template, sources)
    if (!values.ok) return values
    const [first] = values.value
    if (differ(values.value, found ?? first)) {
      const plural = found === undefined || rule.mode === 'every'
      if (!plural) return refuse('request.ambiguous', { detail: 'named in two places that differ' })
      several = true
    }
    found ??= first
  }
  return pass(several || found === undefined ? UNKNOWN_RESOURCE : found)
}

function differ(values: readonly string[], from: string | undefined): boolean {
  for (const value of values) if (value !== from) return true
  return false
}

/**
 * Many frameworks merge the query into the fields of a body: the vendor may believe either, the rule reads one.
 *
 * @param names from {@link bodyOnlyNames}
 */
export function twinInQuery(names: readonly string[], query: Fields): string | undefined {
  if (query.size === 0) return undefined
  return names.find((name) => query.has(name) || hasLookalike(query, name))
}

function readTemplate(template: ResourceTemplate, sources: ResourceSources): Verdict<readonly string[]> {
  const named = fillFromPath(template, sources.path)
  if (named !== undefined) return named === '' ? NONE : checkValues([named])
  let values: readonly string[] = ['']
  for (const part of template) {
    if (typeof part === 'string') {
      values = values.map((value) => value + part)
      continue
    }
    const read = readPlaceholder(part, sources)
    if (!read.ok) return read
    values = values.flatMap((value) => read.value.map((more) => value + more))
    if (values.length > MAX_VALUES) return invalid('too many values')
  }
  return checkValues(values)
}

/** Half a surrogate pair would reach policy as another character than the upstream's. */
function checkValues(values: readonly string[]): Verdict<readonly string[]> {
  for (const value of values) {
    if (value.length > MAX_VALUE_LENGTH) return invalid('the value is too long')
    if (!value.isWellFormed()) return invalid('the value is not Unicode')
  }
  return pass(values)
}

/**
 * The common case without any list: literals and path parameters only.
 *
 * @returns empty when a parameter is not in this path, `undefined` when the template reads the query or the body.
 */
function fillFromPath(
  template: ResourceTemplate,
  path: Readonly<Record<string, string>>,
): string | undefined {
  let filled = ''
  for (const part of template) {
    if (typeof part === 'string') {
      filled += part
      continue
    }
    if (part.source !== 'path' || part.filter === 'list') return undefined
    const value = path[part.tokens[0] ?? '']
    if (value === undefined) return ''
    filled += normalize(value, part.filter)
  }
  return filled
}

function readPlaceholder(placeholder: Placeholder, sources: ResourceSources): Verdict<readonly string[]> {
  const raw = valuesAt(placeholder, sources, 'integers')
  if (!raw.ok) return raw
  const { filter } = placeholder
  if (raw.value.length === 0) return NONE
  const values =
    filter === 'list' ? raw.value.flatMap(listOf) : raw.value.map((value) => normalize(value, filter))
  return pass(values.filter((value) => value !== ''))
}

/** What stands at a place, as text; `numbers` says which ones of JSON are exact enough to be one. */
export function valuesAt(
  placeholder: Placeholder,
  sources: ResourceSources,
  numbers: 'integers' | 'decimals',
): Verdict<readonly string[]> {
  const { source, tokens } = placeholder
  const [name = ''] = tokens
  if (source === 'path') {
    const value = sources.path[name]
    return value === undefined ? NONE : pass([value])
  }
  if (source === 'query') return fieldValues(sources.query, name)
  const { body } = sources
  if (body.kind === 'form') return tokens.length === 1 ? fieldValues(body.fields, name) : pass([])
  return body.kind === 'json' ? jsonValues(body.value, tokens, numbers) : pass([])
}

function fieldValues(fields: Fields, name: string): Verdict<readonly string[]> {
  const values = fields.get(name) ?? NO_VALUES
  if (values.length > 1) return refuse('request.ambiguous', { detail: `"${name}" is given more than once` })
  if (hasLookalike(fields, name))
    return refuse('request.ambiguous', { detail: `a field looks like "${name}"` })
  return pass(values)
}

/** Follows a pointer by own members only; `*` fans out over an array, and so does an array at the pointer's end. */
function jsonValues(
  root: unknown,
  tokens: readonly string[],
  numbers: 'integers' | 'decimals',
): Verdict<readonly string[]> {
  let nodes: unknown[] = [root]
  for (const token of tokens) {
    nodes = nodes.flatMap((node) => {
      if (token === '*') return Array.isArray(node) ? (node as unknown[]) : []
      return isRecord(node) && Object.hasOwn(node, token) ? [node[token]] : []
    })
    if (nodes.length > MAX_VALUES) return invalid('too many values')
  }
  const values: string[] = []
  for (const node of nodes.flatMap((each) => (Array.isArray(each) ? (each as unknown[]) : [each]))) {
    if (node === null) continue
    if (typeof node === 'string') values.push(node)
    // Beyond 2^53 the parsed number is not the number that was sent.
    else if (typeof node === 'number' && (numbers === 'decimals' || Number.isSafeInteger(node)))
      values.push(String(node))
    else return invalid('the value is neither text nor a whole number')
  }
  return pass(values)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(detail: string): { ok: false; refusal: Refusal } {
  return refuse('policy.input_invalid', { detail })
}
