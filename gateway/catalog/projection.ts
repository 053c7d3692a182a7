/** What policy may read of a JSON body beyond its top-level scalars: JSON Pointer tokens, or the whole of it. */
export type BodyProjection = 'all' | readonly (readonly string[])[]

const MAX_STRING_LENGTH = 1024
const MAX_TOTAL_LENGTH = 16_384
const MAX_DEPTH = 8

type JsonObject = Record<string, unknown>

/**
 * Copies what rules may read into a bounded document: strings to 1,024 characters, everything together to 16,384, eight
 * levels deep. `truncated` turns true when anything the projection covers was cut, so that a rule can refuse to
 * decide on half a call. One projector serves one call.
 */
export class Projector {
  #left = MAX_TOTAL_LENGTH
  #truncated = false

  get truncated(): boolean {
    return this.#truncated
  }

  /** Copies fields of a path, query or form: one value as text, several as a list. */
  fields(entries: Iterable<readonly [string, string | readonly string[]]>): JsonObject {
    const into = createObject()
    for (const [name, value] of entries) {
      this.#put(into, name, Array.isArray(value) && value.length === 1 ? value[0] : value, 0)
    }
    return into
  }

  /** Copies the parameters of a path. */
  texts(values: Readonly<Record<string, string>>): Record<string, string> {
    const into: Record<string, string> = createObject()
    for (const name of Object.keys(values)) this.#put(into, name, values[name], 0)
    return into
  }

  body(value: unknown, projection: BodyProjection): JsonObject {
    const into = createObject()
    if (!isRecord(value)) return into
    if (projection === 'all') {
      for (const [name, member] of Object.entries(value)) this.#put(into, name, member, 0)
      return into
    }
    // What the connector asks for by name comes first: padding must not be able to crowd it out.
    for (const tokens of projection) this.#putPointer(into, value, tokens, 0)
    for (const [name, member] of Object.entries(value)) {
      if ((typeof member !== 'object' || member === null) && !Object.hasOwn(into, name)) {
        this.#put(into, name, member, 0)
      }
    }
    return into
  }

  #put(into: JsonObject, name: string, value: unknown, depth: number): void {
    if (this.#left === 0 || !this.#spend(name.length)) {
      this.#truncated = true
      return
    }
    const copied = this.#copy(value, depth + 1)
    if (copied !== undefined) into[name.toWellFormed()] = copied
  }

  #putPointer(into: JsonObject, from: unknown, tokens: readonly string[], depth: number): void {
    const [token, ...rest] = tokens
    if (token === undefined || !isRecord(from) || !Object.hasOwn(from, token)) return
    if (rest.length === 0) {
      if (!Object.hasOwn(into, token)) this.#put(into, token, from[token], depth)
      return
    }
    const held = into[token]
    const next = isRecord(held) ? held : createObject()
    this.#putPointer(next, from[token], rest, depth + 1)
    if (Object.keys(next).length > 0) into[token] = next
  }

  #copy(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return this.#copyText(value)
    if (typeof value !== 'object' || value === null) return this.#spend(8) ? value : undefined
    if (depth === MAX_DEPTH) {
      this.#truncated = true
      return undefined
    }
    if (!this.#spend(2)) return undefined
    if (Array.isArray(value)) {
      return (value as unknown[])
        .map((item) => this.#copy(item, depth + 1))
        .filter((item) => item !== undefined)
    }
    const into = createObject()
    for (const [name, member] of Object.entries(value)) this.#put(into, name, member, depth)
    return into
  }

  #copyText(value: string): string | undefined {
    if (value.length > MAX_STRING_LENGTH) this.#truncated = true
    // A lone surrogate, in the value or at the cut, is not UTF-8 and would not survive the way into the policy engine.
    const kept = value.slice(0, MAX_STRING_LENGTH).toWellFormed()
    return this.#spend(kept.length) ? kept : undefined
  }

  #spend(length: number): boolean {
    if (length > this.#left) {
      this.#truncated = true
      return false
    }
    this.#left -= length
    return true
  }
}

/**
 * Names come from the call: an object without a prototype has no `__proto__` to be reached through. One that lost its
 * prototype is read and written as JSON twice as fast as one that `Object.create` made without.
 */
export function createObject<T = unknown>(): Record<string, T> {
  return Object.setPrototypeOf({}, null) as Record<string, T>
}

function isRecord(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
