/**
 * A header section as it came: flat, ordered, duplicates kept. Node joins some duplicates and silently drops
 * others, so every check and every forward works on this and never on `request.headers`.
 */
export class HeaderList {
  /** Name, value, name, value, in the order and case of the wire. */
  readonly flat: readonly string[]
  /** Whether any header stands there more than once. */
  readonly repeats: boolean
  readonly #values = new Map<string, string | string[]>()

  constructor(flat: readonly string[]) {
    this.flat = flat
    for (let index = 0; index + 1 < flat.length; index += 2) {
      const name = (flat[index] as string).toLowerCase()
      const value = flat[index + 1] as string
      const held = this.#values.get(name)
      if (held === undefined) this.#values.set(name, value)
      else if (typeof held === 'string') this.#values.set(name, [held, value])
      else held.push(value)
    }
    this.repeats = this.#values.size * 2 < flat.length - (flat.length % 2)
  }

  /** The value of a header that occurs exactly once; `undefined` when absent or repeated. `name` in lower case. */
  get(name: string): string | undefined {
    const held = this.#values.get(name)
    return typeof held === 'string' ? held : undefined
  }

  /** Every value, in order. `name` in lower case. */
  all(name: string): readonly string[] {
    const held = this.#values.get(name)
    if (held === undefined) return []
    return typeof held === 'string' ? [held] : held
  }

  count(name: string): number {
    const held = this.#values.get(name)
    if (held === undefined) return 0
    return typeof held === 'string' ? 1 : held.length
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  /** The distinct names, in lower case. */
  names(): IterableIterator<string> {
    return this.#values.keys()
  }
}
