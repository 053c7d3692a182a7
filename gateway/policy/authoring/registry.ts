import type { PolicyFile } from './policy-file.ts'

/** `data.registry` of a bundle: agents, roles, tools and tenants, keyed by id. */
export type Registry = Readonly<Record<string, unknown>>

/** @throws Error when the bundle has no agents or roles, so that nothing can be derived from it */
export function registryIn(bundle: PolicyFile): Registry {
  const data: unknown = JSON.parse(bundle.data.toString('utf8'))
  const registry = members(member(data, 'registry'))
  for (const name of ['agents', 'roles', 'tools', 'tenants']) {
    if (!Object.hasOwn(registry, name))
      throw new Error(`the data of the bundle has no registry.${name}: grants are derived from it`)
  }
  return registry
}

/** What lies at a path of object members; `undefined` where it leads nowhere. */
export function member(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((place, name) => {
    const below = members(place)
    return Object.hasOwn(below, name) ? below[name] : undefined
  }, value)
}

/** The members of an object; none of anything else. */
export function members(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? (value as Record<string, unknown>) : {}
}
