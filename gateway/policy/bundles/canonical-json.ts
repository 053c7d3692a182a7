/**
 * Writes JSON the one way that OPA hashes it: members in the order of their names' bytes, no white space, strings in
 * one spelling without HTML escapes, and numbers exactly as they stand in the text (`2.50` is not `2.5`), which is
 * why no parsed value could be written back instead.
 *
 * @param text JSON that `parseStrictJson` accepts: no name twice, no lone surrogate, bounded nesting
 * @see https://www.openpolicyagent.org/docs/management-bundles#signature-format
 */
export function canonicalJson(text: string): string {
  let at = 0

  const skipSpace = (): void => {
    while (isSpace(text.charCodeAt(at))) at += 1
  }
  /** The string at `at`: its value, and its spelling. Most need neither parsing nor writing. */
  const string = (): Spelled => {
    const start = at
    let plain = true
    for (at += 1; text.charCodeAt(at) !== QUOTE; at += 1) {
      const code = text.charCodeAt(at)
      if (code === BACKSLASH) at += 1
      if (code === BACKSLASH || code === LINE_SEPARATOR || code === PARAGRAPH_SEPARATOR) plain = false
    }
    at += 1
    const literal = text.slice(start, at)
    if (plain) return { value: literal.slice(1, -1), text: literal }
    const value = String(JSON.parse(literal))
    return { value, text: spell(value) }
  }
  /** A number, `true`, `false` or `null`: everything up to what may follow a value. */
  const word = (): string => {
    const start = at
    while (at < text.length && !isDelimiter(text.charCodeAt(at))) at += 1
    return text.slice(start, at)
  }
  const list = (close: number, item: () => void): void => {
    at += 1
    skipSpace()
    while (text.charCodeAt(at) !== close) {
      item()
      skipSpace()
      if (text.charCodeAt(at) === COMMA) at += 1
      skipSpace()
    }
    at += 1
  }
  const value = (): string => {
    skipSpace()
    switch (text.charCodeAt(at)) {
      case OPEN_BRACE: {
        const members: Spelled[] = []
        list(CLOSE_BRACE, () => {
          const name = string()
          skipSpace()
          at += 1 // the colon
          members.push({ value: name.value, text: `${name.text}:${value()}` })
        })
        members.sort((left, right) => compareBytes(left.value, right.value))
        return `{${members.map((member) => member.text).join(',')}}`
      }
      case OPEN_BRACKET: {
        const items: string[] = []
        list(CLOSE_BRACKET, () => items.push(value()))
        return `[${items.join(',')}]`
      }
      case QUOTE:
        return string().text
      default:
        return word()
    }
  }
  return value()
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
