/**
 * Writes JSON the one way that OPA hashes it: members in the order of their names' bytes, no white space, strings in
 * one spelling without HTML escapes, and numbers exactly as they stand in the text (`2.50` is not `2.5`), which is
 * why no parsed value could be written back instead.
 *
 * @param text JSON that `parseStrictJson` accepts: no name twice, no lone surrogate, bounded nesting
 * @see https://www.openpolicyagent.org/docs/management-bundles#signature-format
 */
export function canonicalJson(text: string): string {
  return new CanonicalWriter(text).value()
}

/** Reads `text` once, from its beginning, and gives each value in its canonical spelling. */
class CanonicalWriter {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(): string {
    this.#skipSpace()
    switch (this.#text.charCodeAt(this.#at)) {
      case OPEN_BRACE:
        return this.#object()
      case OPEN_BRACKET:
        return this.#array()
      case QUOTE:
        return this.#string().text
      default:
        return this.#word()
    }
  }

  #object(): string {
    const members: Spelled[] = []
    this.#list(CLOSE_BRACE, () => {
      const name = this.#string()
      this.#skipSpace()
      this.#at += 1 // the colon
      members.push({ value: name.value, text: `${name.text}:${this.value()}` })
    })
    members.sort((left, right) => compareBytes(left.value, right.value))
    return `{${members.map((member) => member.text).join(',')}}`
  }

  #array(): string {
    const items: string[] = []
    this.#list(CLOSE_BRACKET, () => items.push(this.value()))
    return `[${items.join(',')}]`
  }

  #list(close: number, item: () => void): void {
    this.#at += 1
    this.#skipSpace()
    while (this.#text.charCodeAt(this.#at) !== close) {
      item()
      this.#skipSpace()
      if (this.#text.charCodeAt(this.#at) === COMMA) this.#at += 1
      this.#skipSpace()
    }
    this.#at += 1
  }

  /** Its value, and its spelling. Most need neither parsing nor writing. */
  #string(): Spelled {
    const text = this.#text
    const start = this.#at
    let plain = true
    let at = start + 1
    for (; text.charCodeAt(at) !== QUOTE; at += 1) {
      const code = text.charCodeAt(at)
      if (code === BACKSLASH) at += 1
      if (code === BACKSLASH || code === LINE_SEPARATOR || code === PARAGRAPH_SEPARATOR) plain = false
    }
    this.#at = at + 1
    const literal = text.slice(start, at + 1)
    if (plain) return { value: literal.slice(1, -1), text: literal }
    const value = String(JSON.parse(literal))
    return { value, text: spell(value) }
  }

  /** A number, `true`, `false` or `null`: everything up to what may follow a value. */
  #word(): string {
    const text = this.#text
    const start = this.#at
    while (this.#at < text.length && !isDelimiter(text.charCodeAt(this.#at))) this.#at += 1
    return text.slice(start, this.#at)
  }

  #skipSpace(): void {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at += 1
  }
}

/** A string and its spelling; for members, their name and the whole of them. */
interface Spelled {
  readonly value: string
  readonly text: string
}

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const LINE_SEPARATOR = 0x2028
const PARAGRAPH_SEPARATOR = 0x2029

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}

function isDelimiter(code: number): boolean {
  return code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || isSpace(code)
}

/** Go writes the two line separators of Unicode as escapes, JavaScript does not; otherwise both spell alike. */
function spell(value: string): string {
  return JSON.stringify(value).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
}

/** Order of the UTF-8 bytes. That of UTF-16 differs: it puts surrogates before U+E000 to U+FFFF. */
function compareBytes(left: string, right: string): number {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index += 1) {
    const difference = rank(left.charCodeAt(index)) - rank(right.charCodeAt(index))
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

function rank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}
