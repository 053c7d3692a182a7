/** Something other than what was demanded; caught where the whole document is judged. */
export class Unexpected extends Error {
  override readonly name = 'Unexpected'
}

function expectObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Unexpected(`${what} is not an object`)
  }
  return value as Record<string, unknown>
}

/** An object with exactly these members, `optional` ones apart: an unknown one may be the one that mattered. */
export function expectKeys<Name extends string>(
  value: unknown,
  what: string,
  names: readonly Name[],
  optional: readonly string[] = [],
): Record<Name, unknown> {
  const object = expectObject(value, what)
  for (const name of names) {
    if (!Object.hasOwn(object, name)) throw new Unexpected(`${what} has no ${name}`)
  }
  const known = optional.reduce((sum, name) => sum + Number(Object.hasOwn(object, name)), names.length)
  if (Object.keys(object).length !== known) throw new Unexpected(`${what} has members that are not known`)
  return object
}

export function expectList(value: unknown, what: string, maxItems: number): readonly unknown[] {
  if (!Array.isArray(value)) throw new Unexpected(`${what} is not a list`)
  if (value.length > maxItems) throw new Unexpected(`${what} has more than ${maxItems} items`)
  return value
}

export function expectText(value: unknown, what: string, maxCharacters: number): string {
  if (typeof value !== 'string' || value === '') throw new Unexpected(`${what} is not a text`)
  if (value.length > maxCharacters) throw new Unexpected(`${what} is longer than ${maxCharacters} characters`)
  return value
}

export function expectCount(value: unknown, what: string, minimum: number, maximum: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < minimum || value > maximum) {
    throw new Unexpected(`${what} is not a whole number from ${minimum} to ${maximum}`)
  }
  return value
}

/** Not empty, each text once, sorted: a set in Rego has no order of its own. */
export function expectTexts(value: unknown, what: string, maxItems: number): readonly string[] {
  const texts = expectList(value, what, maxItems).map((item) => expectText(item, `an item of ${what}`, 256))
  const unique = [...new Set(texts)].sort()
  if (unique.length === 0) throw new Unexpected(`${what} is empty`)
  return unique
}
