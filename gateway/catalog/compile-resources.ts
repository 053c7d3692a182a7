import type { OverrideRule, ResourceOverride } from './folder.ts'
import {
  bodyOnlyNames,
  parseResourceTemplate,
  pathNames,
  RESOURCE_FIELDS,
  UNKNOWN_RESOURCE,
  type ResourceField,
  type ResourceRule,
  type ResourceTemplate,
} from './resource-rule.ts'
import type { Route } from './template.ts'

/**
 * The rule of each resource field: the last one given. Alternatives that read a path parameter which no route of the
 * operation has are left out, so that one rule for `*` serves a whole API; a rule left without any is not declared.
 */
export function compileResources(
  rules: readonly OverrideRule[],
  routes: readonly Route[],
  report: (reason: string) => void,
): ReadonlyMap<ResourceField, ResourceRule> {
  const names = new Set(routes.flatMap(({ template }) => template.parameters))
  const resources = new Map<ResourceField, ResourceRule>()
  for (const field of RESOURCE_FIELDS) {
    const given = rules.findLast((rule) => rule.resources?.[field] !== undefined)?.resources?.[field]
    if (given === undefined) continue
    const several = isEvery(given)
    try {
      const templates = templatesOf(given).filter((template) =>
        pathNames(template).every((name) => names.has(name)),
      )
      if (templates.length === 0) continue
      const reading = templates.filter(([part]) => part !== UNKNOWN_RESOURCE)
      if (!several) checkAlternatives(field, reading, routes)
      const bodyOnly = bodyOnlyNames(reading.flat())
      resources.set(field, { mode: several ? 'every' : 'one', templates: reading, bodyOnly })
    } catch (cause) {
      report(cause instanceof RangeError ? cause.message : String(cause))
    }
  }
  return resources
}

/** One rule stands for hundreds of operations: its templates are parsed once. */
const parsed = new WeakMap<ResourceOverride, readonly ResourceTemplate[]>()

function templatesOf(given: ResourceOverride): readonly ResourceTemplate[] {
  const known = parsed.get(given)
  if (known !== undefined) return known
  const templates = (isEvery(given) ? given.every : given).map(parseResourceTemplate)
  parsed.set(given, templates)
  return templates
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
  for (const { path, template: route } of routes) {
    const filled = templates.filter((template) => {
      const names = pathNames(template)
      return names.length > 0 && names.every((name) => route.parameters.includes(name))
    })
    if (filled.length > 1) throw new RangeError(`${path} always gives ${field} twice`)
  }
}

/** Not `'every' in given`: an array has a method of that name. */
function isEvery(given: ResourceOverride): given is { readonly every: readonly string[] } {
  return !Array.isArray(given)
}
