/**
 * Compares two JSON values as OPA orders the members of a set: null, booleans, numbers, strings, arrays, objects; texts
 * by their bytes, objects by their sorted members. WebAssembly writes a set in the order of its hashes, and masks
 * applied in another order than OPA's can give another event.
 */
export function compareValues(left: unknown, right: unknown): number {
  const kind = kindOf(left)
  const byKind = kind - kindOf(right)
  if (byKind !== 0) return byKind
  if (typeof left === 'string' && typeof right === 'string') return compareTexts(left, right)
  if (Array.isArray(left) && Array.isArray(right)) return compareLists(left, right)
  if (isObject(left) && isObject(right)) return compareLists(membersOf(left), membersOf(right))
  return Number(left) - Number(right)
}

function kindOf(value: unknown): number {
  if (value === null) return 0
  if (typeof value === 'boolean') return 1
  if (typeof value === 'number') return 2
  if (typeof value === 'string') return 3
  return Array.isArray(value) ? 4 : 5
}

function compareLists(left: readonly unknown[], right: readonly unknown[]): number {
  const shared = Math.min(left.length, right.length)
  for (let index = 0; index < shared; index += 1) {
    const order = compareValues(left[index], right[index])
    if (order !== 0) return order
  }
  return left.length - right.length
}

/** Name, value, name, value, by name. */
function membersOf(value: object): readonly unknown[] {
  return Object.entries(value)
    .sort(([left], [right]) => compareTexts(left, right))
    .flat()
}

/** In the order of their UTF-8, which is that of UTF-16 but for surrogates. */
function compareTexts(left: string, right: string): number {
  const shared = Math.min(left.length, right.length)
  for (let index = 0; index < shared; index += 1) {
    const one = left.charCodeAt(index)
    const other = right.charCodeAt(index)
    if (one !== other) return byteOrder(one) - byteOrder(other)
  }
  return left.length - right.length
}

/** Surrogates stand for characters above U+FFFF, so they come after U+E000 to U+FFFF. */
function byteOrder(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
