import type { Access, Operation } from './connector.ts'
import type { ConfigProblem } from '../config/problem.ts'
import type {
  ConnectorFolder,
  OperationFacts,
  OverrideRule,
  PublishedFacts,
  ResourceOverride,
} from './folder.ts'
import type { BodyProjection } from './projection.ts'
import {
  parseResourceTemplate,
  pathNames,
  RESOURCE_FIELDS,
  UNKNOWN_RESOURCE,
  type ResourceField,
  type ResourceRule,
  type ResourceTemplate,
} from './resource-rule.ts'
import { parseTemplate } from './template.ts'

/** An operation with all that its overrides say, ready to be matched and viewed. */
export interface CompiledOperation {
  readonly operation: Operation
  readonly resources: ReadonlyMap<ResourceField, ResourceRule>
  readonly body: BodyProjection
  readonly scopes: readonly string[]
  readonly deprecated: boolean
  /** Takes a body that is neither JSON nor a form, such as an image, which policy cannot see. */
  readonly opaque: boolean
  /** Every method and path template that leads here, the published one first. */
  readonly routes: readonly Route[]
}

interface Route {
  readonly method: string
  readonly path: string
  readonly slash: readonly string[]
}

const NO_RULES: readonly OverrideRule[] = []

/**
 * Joins the vendor's operations with the overrides; every contradiction is added to `problems`. With `oneOrigin`, which
 * a configured origin means, no operation keeps a host of its own.
 */
export function compileOperations(
  folder: ConnectorFolder,
  oneOrigin: boolean,
  problems: ConfigProblem[],
): CompiledOperation[] {
  const { connector, overrides } = folder
  const where = `connectors/${connector.name}/overrides.yaml#`
  const report = (at: string, reason: string): void => void problems.push({ path: where + at, reason })
  const published = [...folder.operations, ...(overrides.extras ?? [])].filter(
    ({ id }) => !Object.hasOwn(overrides.indistinguishable ?? {}, id),
  )
  checkReferences(folder, new Set(published.map(({ id }) => id)), report)
  const rulesOf = assignRules(published, overrides.rules, report)
  return published.map((facts) => {
    const rules = rulesOf.get(facts.id) ?? NO_RULES
    const access = rules.findLast((rule) => rule.access !== undefined)?.access ?? defaultAccess(facts.method)
    const routes = routesOf(facts, access, folder)
    return {
      operation: operationOf(
        connector.name,
        oneOrigin ? withoutOrigin(facts) : facts,
        access,
        overrides.defaults[access],
        rules,
      ),
      resources: resourcesOf(rules, routes, (reason) => report(`/rules (${facts.id})`, reason)),
      body: bodyOf(rules),
      scopes: facts.scopes ?? [],
      deprecated: facts.deprecated === true,
      opaque: facts.consumes?.some(isOpaqueType) ?? false,
      routes,
    }
  })
}

function isOpaqueType(mediaType: string): boolean {
  return !/^(application\/(.+\+)?json|application\/x-www-form-urlencoded|multipart\/form-data)$/.test(
    mediaType,
  )
}

function defaultAccess(method: string): Access {
  return method === 'GET' ? 'read' : 'write'
}

type Report = (at: string, reason: string) => void

function checkReferences(folder: ConnectorFolder, known: ReadonlySet<string>, report: Report): void {
  const { overrides } = folder
  const published = new Set(folder.operations.map(({ id }) => id))
  const seen = new Set<string>()
  for (const { id } of [...folder.operations, ...(overrides.extras ?? [])]) {
    if (seen.has(id)) report('/extras', `${id} is there twice`)
    seen.add(id)
  }
  for (const [id, other] of Object.entries(overrides.indistinguishable ?? {})) {
    if (!published.has(id)) report(`/indistinguishable/${id}`, 'is not in operations.json')
    if (!known.has(other)) report(`/indistinguishable/${id}`, `${other} is not an operation`)
  }
  for (const [index, { operation }] of (overrides.paths ?? []).entries()) {
    if (!known.has(operation)) report(`/paths/${index}`, `${operation} is not an operation`)
  }
  for (const [index, { from }] of (overrides.aliases ?? []).entries()) {
    const used = folder.operations.some(({ path }) => path === from || path.startsWith(`${from}/`))
    if (!used) report(`/aliases/${index}`, `no operation begins with ${from}`)
  }
}

/** The rules of each operation, in order; a pattern that names nothing is a mistake, not a silent no-op. */
function assignRules(
  published: readonly PublishedFacts[],
  rules: readonly OverrideRule[],
  report: Report,
): ReadonlyMap<string, OverrideRule[]> {
  const assigned = new Map<string, OverrideRule[]>()
  for (const [index, rule] of rules.entries()) {
    const candidates = published.filter(({ method }) => rule.methods?.includes(method) ?? true)
    const known = new Set(candidates.map(({ id }) => id))
    const matched = new Set<string>()
    for (const pattern of rule.match) {
      const ids = idsOf(pattern, known)
      if (ids.length === 0) report(`/rules/${index}/match`, `"${pattern}" names no operation`)
      for (const id of ids) matched.add(id)
    }
    for (const id of matched) {
      const held = assigned.get(id)
      if (held === undefined) assigned.set(id, [rule])
      else held.push(rule)
    }
  }
  return assigned
}

function idsOf(pattern: string, known: ReadonlySet<string>): readonly string[] {
  if (!pattern.includes('*')) return known.has(pattern) ? [pattern] : []
  const expression = new RegExp(`^${pattern.split('*').map(escape).join('.*')}$`)
  return [...known].filter((id) => expression.test(id))
}

/** The schema lets no other character through that a regular expression would read as more than itself. */
function escape(text: string): string {
  return text.replaceAll('.', '\\.')
}

function operationOf(
  connector: string,
  facts: PublishedFacts,
  access: Access,
  defaults: OperationFacts,
  rules: readonly OverrideRule[],
): Operation {
  return {
    id: `${connector}.${facts.id}`,
    connector,
    method: facts.method,
    template: facts.path,
    access,
    risk: rules.findLast((rule) => rule.risk !== undefined)?.risk ?? defaults.risk,
    dataClass: rules.findLast((rule) => rule.dataClass !== undefined)?.dataClass ?? defaults.dataClass,
    reversible: rules.findLast((rule) => rule.reversible !== undefined)?.reversible ?? defaults.reversible,
    ...(facts.origin !== undefined && { origin: facts.origin }),
  }
}

function withoutOrigin({ origin: _origin, ...facts }: PublishedFacts): PublishedFacts {
  return facts
}

function routesOf(facts: PublishedFacts, access: Access, { overrides }: ConnectorFolder): Route[] {
  const { method, path, slash = [] } = facts
  const routes: Route[] = [{ method, path, slash }]
  for (const alias of overrides.aliases ?? []) {
    const applies = path === alias.from || path.startsWith(`${alias.from}/`)
    if (!applies || alias.methods?.includes(method) === false) continue
    const other = alias.to + path.slice(alias.from.length)
    routes.push({ method, path: other, slash: slash.filter((name) => other.includes(`{${name}}`)) })
  }
  for (const more of overrides.paths ?? []) {
    if (more.operation === facts.id) routes.push({ method, path: more.path, slash: [] })
  }
  if (overrides.readsByGet === true && access === 'read' && method !== 'GET') {
    routes.push(...routes.map((route) => ({ ...route, method: 'GET' })))
  }
  return routes
}

/**
 * The rule of each resource field: the last one given. Alternatives that read a path parameter which no route of the
 * operation has are left out, so that one rule for `*` serves a whole API; a rule left without any is not declared.
 */
function resourcesOf(
  rules: readonly OverrideRule[],
  routes: readonly Route[],
  report: (reason: string) => void,
): ReadonlyMap<ResourceField, ResourceRule> {
  const names = new Set(routes.flatMap(({ path }) => parseTemplate(path, []).parameters))
  const resources = new Map<ResourceField, ResourceRule>()
  for (const field of RESOURCE_FIELDS) {
    const given = rules.findLast((rule) => rule.resources?.[field] !== undefined)?.resources?.[field]
    if (given === undefined) continue
    const several = isEvery(given)
    try {
      const templates = (several ? given.every : given)
        .map(parseResourceTemplate)
        .filter((template) => pathNames(template).every((name) => names.has(name)))
      if (templates.length === 0) continue
      const reading = templates.filter(([part]) => part !== UNKNOWN_RESOURCE)
      if (!several) checkAlternatives(field, reading, routes)
      resources.set(field, { mode: several ? 'every' : 'one', templates: reading })
    } catch (cause) {
      report(cause instanceof RangeError ? cause.message : String(cause))
    }
  }
  return resources
}

/**
 * Two alternatives that one route always fills would make every call to it ambiguous.
 *
 * @throws RangeError naming the route.
 */
function checkAlternatives(
  field: string,
  templates: readonly ResourceTemplate[],
  routes: readonly Route[],
): void {
  for (const { path } of routes) {
    const { parameters } = parseTemplate(path, [])
    const filled = templates.filter((template) => {
      const names = pathNames(template)
      return names.length > 0 && names.every((name) => parameters.includes(name))
    })
    if (filled.length > 1) throw new RangeError(`${path} always gives ${field} twice`)
  }
}

/** Not `'every' in given`: an array has a method of that name. */
function isEvery(given: ResourceOverride): given is { readonly every: readonly string[] } {
  return !Array.isArray(given)
}

function bodyOf(rules: readonly OverrideRule[]): BodyProjection {
  const body = rules.findLast((rule) => rule.body !== undefined)?.body ?? []
  if (body === 'all') return body
  return body.map((pointer) =>
    pointer
      .slice(1)
      .split('/')
      .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~')),
  )
}
