import { compileAmount, type AmountRule } from './amount.ts'
import type { Access, Operation } from './connector.ts'
import type { ConfigProblem } from '../config/problem.ts'
import type { ConnectorFolder, OperationFacts, OverrideRule, PublishedOperation } from './folder.ts'
import type { BodyProjection } from './projection.ts'
import type { PhaseRule } from './phase.ts'
import { compileResources } from './compile-resources.ts'
import type { ResourceField, ResourceRule } from './resource-rule.ts'
import { parseTemplate, type Route } from './template.ts'

/** An operation with all that its overrides say, ready to be matched and viewed. */
export interface CompiledOperation {
  readonly operation: Operation
  readonly resources: ReadonlyMap<ResourceField, ResourceRule>
  /** Where the amount stands, for an operation that moves one. */
  readonly amount: AmountRule | undefined
  /** Of an operation that prepares or commits. */
  readonly phase: PhaseRule | undefined
  readonly body: BodyProjection
  readonly scopes: readonly string[]
  readonly deprecated: boolean
  /** Takes a body that is neither JSON nor a form, such as an image, which policy cannot see. */
  readonly opaque: boolean
  /** Every method and path template that leads here, the published one first. */
  readonly routes: readonly Route[]
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
  const shapes = new Set(published.map(({ method, path }) => shapeOf(method, path)))
  return published.map((facts) => {
    const rules = rulesOf.get(facts.id) ?? NO_RULES
    const access = rules.findLast((rule) => rule.access !== undefined)?.access ?? defaultAccess(facts.method)
    const reportHere = (reason: string): void => report(` (${facts.id})`, reason)
    const routes = routesOf(facts, access, { ...folder, shapes }, reportHere)
    return {
      operation: operationOf(
        connector.name,
        oneOrigin ? withoutOrigin(facts) : facts,
        access,
        overrides.defaults[access],
        rules,
      ),
      resources: compileResources(rules, routes, reportHere),
      amount: amountOf(rules, reportHere),
      phase: rules.findLast((rule) => rule.phase !== undefined)?.phase,
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
  published: readonly PublishedOperation[],
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
  facts: PublishedOperation,
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

function withoutOrigin({ origin: _origin, ...facts }: PublishedOperation): PublishedOperation {
  return facts
}

function routesOf(
  facts: PublishedOperation,
  access: Access,
  { overrides, shapes }: Pick<ConnectorFolder, 'overrides'> & { readonly shapes: ReadonlySet<string> },
  report: (reason: string) => void,
): Route[] {
  const { method, path, slash = [] } = facts
  const paths = [path]
  for (const alias of overrides.aliases ?? []) {
    const applies = path === alias.from || path.startsWith(`${alias.from}/`)
    if (!applies || alias.methods?.includes(method) === false) continue
    const other = alias.to + path.slice(alias.from.length)
    // What the vendor publishes at an address is what a call to it is, whatever else it stands for.
    if (!shapes.has(shapeOf(method, other))) paths.push(other)
  }
  for (const more of overrides.paths ?? []) if (more.operation === facts.id) paths.push(more.path)
  const methods = overrides.readsByGet === true && access === 'read' ? new Set([method, 'GET']) : [method]
  const routes: Route[] = []
  for (const each of paths) {
    try {
      const template = parseTemplate(
        each,
        path === each ? slash : slash.filter((name) => each.includes(`{${name}}`)),
      )
      for (const one of methods) routes.push({ method: one, path: each, template })
    } catch (cause) {
      report(cause instanceof RangeError ? cause.message : String(cause))
    }
  }
  return routes
}

/** Templates of one shape take the same paths, whatever their parameters are called. */
function shapeOf(method: string, path: string): string {
  return `${method} ${path.replaceAll(/\{[^}]*\}/g, '{}')}`
}

function amountOf(rules: readonly OverrideRule[], report: (reason: string) => void): AmountRule | undefined {
  const given = rules.findLast((rule) => rule.amount !== undefined)?.amount
  if (given === undefined) return undefined
  try {
    return compileAmount(given)
  } catch (cause) {
    report(cause instanceof RangeError ? cause.message : String(cause))
    return undefined
  }
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
