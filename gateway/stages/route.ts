import type { Catalog } from '../catalog/catalog.ts'
import type { Identified, Routed } from '../exchange.ts'
import { pass, refuse, type Verdict } from '../refusal.ts'

/**
 * Finds the one operation that a call's method and raw path name. What is not in the catalogue cannot be called, and
 * the path that was matched is the path that is forwarded, byte for byte.
 */
export function createRoute(catalog: Pick<Catalog, 'match'>): (identified: Identified) => Verdict<Routed> {
  return (identified) => {
    const { addressed } = identified.arrival
    if (addressed === undefined) return refuse('route.unknown_connector')
    const { connector } = addressed
    const matched = catalog.match(connector, identified.method, addressed.upstreamPath)
    if (!matched.ok) return matched
    const { operation, pathParams, path } = matched.value
    return pass({ ...identified, connector, operation, pathParams, upstreamPath: connector.basePath + path })
  }
}
