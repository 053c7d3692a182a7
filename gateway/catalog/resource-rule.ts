import type { Resource } from '../exchange.ts'
import { assertNever } from '../lib/assert-never.ts'

export type ResourceField = Exclude<keyof Resource, 'amount'>

export const RESOURCE_FIELDS = [
  'project',
  'repository',
  'channel',
  'account',
] as const satisfies ResourceField[]

/** Stands for "several, or not to be told": no allow-list holds it, so a rule that lists what is allowed says no. */
export const UNKNOWN_RESOURCE = '*'

/**
 * Turns a value as a call spells it into the one spelling that rules use.
 * - `lower`, `upper`: for names that the vendor compares without case;
 * - `repository`: a GitHub repository's name in lower case, without the `.git` that some addresses allow behind it;
 * - `project`: a Jira project key in upper case, or `id:10000` for a numeric id;
 * - `issue-project`: the project key of a Jira issue key, or `issue:10001` for a numeric id;
 * - `elsewhere`: a range of commits that names another owner or repository (`main...owner:repo:main`); nothing otherwise;
 * - `list`: several values in one, either a JSON array (as Slack's SDK writes it into a form) or separated by commas.
 */
export type Filter = 'lower' | 'upper' | 'repository' | 'project' | 'issue-project' | 'elsewhere' | 'list'

const FILTERS: ReadonlySet<string> = new Set<Filter>([
  'lower',
  'upper',
  'repository',
  'project',
  'issue-project',
  'elsewhere',
  'list',
])

export interface Placeholder {
  readonly source: 'path' | 'query' | 'body'
  /** Unescaped JSON Pointer tokens (RFC 6901 §4); `*` stands for every member of an array. */
  readonly tokens: readonly string[]
  readonly filter: Filter | undefined
}

/** Literal text and placeholders in turn. */
export type ResourceTemplate = readonly (string | Placeholder)[]

export interface ResourceRule {
  /**
   * `one`: alternatives are places for the same thing, and two that differ make the call ambiguous.
   * `every`: each names a thing that is acted upon, and two that differ are several things.
   */
  readonly mode: 'one' | 'every'
  readonly templates: readonly ResourceTemplate[]
  /** Names that a template reads in the body, and none in the query; see `bodyOnlyNames`. */
  readonly bodyOnly: readonly string[]
}

const ASCII = /^[ -~]*$/
const PLACEHOLDER = /\{(\/(path|query|body)((?:\/[^/{}|]+)+))(?:\|([a-z-]+))?\}/g

/**
 * Parses one resource template: `{/path/owner|lower}/{/path/repo|lower}`, `id:{/body/fields/project/id}`, or the lone
 * `*`, with which an operation says that it may reach anything.
 *
 * @throws RangeError when it holds a brace that is no placeholder, or an unknown filter.
 */
export function parseResourceTemplate(text: string): ResourceTemplate {
  const parts: (string | Placeholder)[] = []
  let end = 0
  for (const match of text.matchAll(PLACEHOLDER)) {
    if (match.index > end) parts.push(text.slice(end, match.index))
    parts.push(placeholderOf(match))
    end = match.index + match[0].length
  }
  if (end < text.length) parts.push(text.slice(end))
  if (parts.length === 0) throw new RangeError('a resource template is empty')
  if (parts.some((part) => typeof part === 'string' && /[{}]/.test(part))) {
    throw new RangeError(`"${text}" has a brace that begins or ends no placeholder`)
  }
  if (!parts.some((part) => typeof part !== 'string') && text !== UNKNOWN_RESOURCE) {
    throw new RangeError(`"${text}" reads nothing from the call`)
  }
  return parts
}

/** The names of path parameters a template reads. */
export function pathNames(template: ResourceTemplate): string[] {
  return template.flatMap((part) =>
    typeof part !== 'string' && part.source === 'path' ? part.tokens.slice(0, 1) : [],
  )
}

/** Names at the top of the body that are read there, and not in the query, too. */
export function bodyOnlyNames(parts: readonly (string | Placeholder)[]): string[] {
  const namesIn = (source: Placeholder['source']): string[] =>
    parts.flatMap((part) =>
      typeof part !== 'string' && part.source === source ? part.tokens.slice(0, 1) : [],
    )
  const read = namesIn('query')
  return namesIn('body').filter((name) => !read.includes(name))
}

export function reads(rule: ResourceRule, source: Placeholder['source']): boolean {
  return rule.templates.some((template) =>
    template.some((part) => typeof part !== 'string' && part.source === source),
  )
}

/** Brings one value into the spelling that rules use. */
export function normalize(value: string, filter: Exclude<Filter, 'list'> | undefined): string {
  // Beyond ASCII, folding makes different names equal: the Kelvin sign becomes `k`, and `ß` becomes `SS`.
  if (filter !== undefined && !ASCII.test(value)) return value
  switch (filter) {
    case undefined:
      return value
    case 'lower':
      return value.toLowerCase()
    case 'upper':
      return value.toUpperCase()
    case 'repository': {
      const name = value.toLowerCase()
      return name.endsWith('.git') ? name.slice(0, -4) : name
    }
    case 'project':
      return /^[0-9]+$/.test(value) ? `id:${value}` : value.toUpperCase()
    case 'issue-project': {
      const key = /^([A-Za-z][A-Za-z0-9_]*)-[0-9]+$/.exec(value)?.[1]
      return key === undefined ? `issue:${value}` : key.toUpperCase()
    }
    case 'elsewhere':
      return value.includes(':') ? `ref:${value}` : ''
    default:
      return assertNever(filter)
  }
}

const MAX_LIST_LENGTH = 65_536

/** The values of a `list`; what is too long, or looks like a JSON array but is none stays whole, so that it equals no name. */
export function listOf(value: string): readonly string[] {
  if (value.length > MAX_LIST_LENGTH) return [value]
  const inner = value.trim()
  if (inner.startsWith('[')) return stringsOf(inner) ?? [value]
  return inner.split(',').map((part) => part.trim())
}

function stringsOf(json: string): string[] | undefined {
  try {
    const parsed: unknown = JSON.parse(json)
    return Array.isArray(parsed) && parsed.every((part) => typeof part === 'string') ? parsed : undefined
  } catch {
    return undefined
  }
}

function placeholderOf(match: RegExpExecArray): Placeholder {
  const [, , source, pointer = '', filter] = match
  if (filter !== undefined && !isFilter(filter)) throw new RangeError(`"${filter}" is no filter`)
  const tokens = pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
  return { source: source as Placeholder['source'], tokens, filter }
}

function isFilter(text: string): text is Filter {
  return FILTERS.has(text)
}
