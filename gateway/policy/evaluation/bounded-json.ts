/** Bounds on the parts of the input that came from the caller as free JSON. */
export interface JsonBounds {
  readonly maxDepth: number
  readonly maxValues: number
}

/**
 * Says what is wrong with a value as JSON for policy, or `undefined`. Deep nesting overflows the stack of the
 * evaluation, and a number that JSON cannot write (1e400 parses to Infinity) would reach the rules as `null`.
 */
export function jsonProblem(value: unknown, bounds: JsonBounds): string | undefined {
  let values = 0
  const problemOf = (at: unknown, depth: number): string | undefined => {
    values += 1
    if (values > bounds.maxValues) return `more than ${bounds.maxValues} values`
    if (typeof at === 'string' || typeof at === 'boolean' || at === null) return undefined
    if (typeof at === 'number') return Number.isFinite(at) ? undefined : 'a number out of range'
    if (typeof at !== 'object' || !(Array.isArray(at) || isPlain(at))) return 'a value that is not JSON'
    if (depth === bounds.maxDepth) return `nesting deeper than ${bounds.maxDepth}`
    for (const child of Object.values(at)) {
      const problem = problemOf(child, depth + 1)
      if (problem !== undefined) return problem
    }
    return undefined
  }
  return problemOf(value, 0)
}

/** Buffers, maps, dates and proxies for them turn into other JSON than they look like. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/**
 * Whether JSON text made by `JSON.stringify` holds a lone surrogate. It writes those, and nothing else above
 * U+001F, as `\ud…`; a backslash of the caller's own is doubled. The evaluation aborts on one.
 */
export function hasLoneSurrogate(jsonText: string): boolean {
  if (!jsonText.includes('\\ud')) return false
  return /(?<!\\)(?:\\\\)*\\ud[89a-f]/.test(jsonText)
}
