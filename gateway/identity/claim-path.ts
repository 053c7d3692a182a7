import { isObject } from './compact.ts'
import type { JsonObject } from './compact.ts'

/** Reads one claim; `undefined` when it is absent. */
export type ClaimReader = (claims: JsonObject) => unknown

/**
 * Compiles the name of a claim from the configuration: a JSON Pointer (RFC 6901) when it begins with `/`, else
 * members joined by dots. A name that holds a dot itself is written as a pointer.
 */
export function compileClaimPath(path: string): ClaimReader {
  const segments = path.startsWith('/')
    ? path
        .slice(1)
        .split('/')
        .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
    : path.split('.')
  return (claims) => {
    let value: unknown = claims
    for (const segment of segments) {
      // Own members only: `__proto__` and `constructor` are names like any other.
      if (!isObject(value) || !Object.hasOwn(value, segment)) return undefined
      value = value[segment]
    }
    return value
  }
}
