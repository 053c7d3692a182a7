export type JsonReading =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly reason: string }

const QUOTE = 0x22
const BACKSLASH = 0x5c
const MINUS = 0x2d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const COMMA = 0x2c
/** Far above what any API takes. Megabytes of `[],[],` would hold the event loop up for seconds, for every caller. */
const MAX_VALUES = 100_000

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Parses JSON that every parser reads alike: strict UTF-8 without a byte order mark, no member name twice, no lone
 * surrogate, no number beyond a double, nesting to `maxDepth`, `maxValues` values. What policy sees is then what the
 * upstream sees, apart from digits beyond 2^53, which the forwarded bytes keep.
 *
 * @param maxValues more than the default only for what does not come from callers
 * @see RFC 8259 §4, §8.2; RFC 7493
 */
export function parseStrictJson(
  bytes: Uint8Array,
  maxDepth: number,
  maxValues: number = MAX_VALUES,
): JsonReading {
  if (hasTooManyValues(bytes, maxValues)) return no('there are too many values')
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    return no('the text is not UTF-8')
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return no('the text is not JSON')
  }
  const reason = ambiguityOf(text, maxDepth)
  return reason === undefined ? { ok: true, value } : no(reason)
}

/** Counts what begins a value, strings apart, before anything is made of it; of text that is no JSON it may say anything. */
function hasTooManyValues(bytes: Uint8Array, maxValues: number): boolean {
  if (bytes.length <= maxValues) return false
  let count = 0
  let quoted = false
  for (let index = 0; index < bytes.length; index += 1) {
    const code = bytes[index]
    if (quoted) {
      if (code === BACKSLASH) index += 1
      else if (code === QUOTE) quoted = false
    } else if (code === QUOTE) quoted = true
    else if (code === COMMA || code === OPEN_BRACE || code === OPEN_BRACKET) count += 1
  }
  return count > maxValues
}

/** Walks text that is known to be JSON; `undefined` when there is only one way to read it. */
function ambiguityOf(text: string, maxDepth: number): string | undefined {
  /** One entry for each open bracket: the names seen so far, or `null` for an array. */
  const open: (Set<string> | null)[] = []
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    switch (code) {
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (open.length === maxDepth) return 'the nesting is too deep'
        open.push(code === OPEN_BRACE ? new Set() : null)
        break
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        open.pop()
        break
      case QUOTE: {
        const end = endOfString(text, index)
        const reason = faultOfString(text, index, end, open.at(-1))
        if (reason !== undefined) return reason
        index = end
        break
      }
      default: {
        const end = endOfNumber(text, index)
        if (end === index) break
        if (!Number.isFinite(Number(text.slice(index, end)))) return 'a number is too large'
        index = end - 1
      }
    }
  }
  return undefined
}

function faultOfString(
  text: string,
  start: number,
  end: number,
  names: Set<string> | null | undefined,
): string | undefined {
  const literal = text.slice(start, end + 1)
  const escaped = literal.includes('\\')
  const value = escaped ? String(JSON.parse(literal)) : literal.slice(1, -1)
  if (escaped && !value.isWellFormed()) return 'a string has a lone surrogate'
  if (names === null || names === undefined || !isName(text, end)) return undefined
  if (names.has(value)) return 'a member name occurs twice'
  names.add(value)
  return undefined
}

function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code === BACKSLASH) index += 1
    else if (code === QUOTE) return index
  }
  return text.length
}

/** In an object, a string is a member's name exactly when a colon follows. */
function isName(text: string, end: number): boolean {
  let index = end + 1
  while (' \t\r\n'.includes(text[index] ?? 'x')) index += 1
  return text[index] === ':'
}

/** Just past the number that begins at `start`; `start` itself where none does. */
function endOfNumber(text: string, start: number): number {
  const first = text.charCodeAt(start)
  if (first !== MINUS && !isDigit(first)) return start
  let index = start + 1
  while (index < text.length && '0123456789+-.eE'.includes(text[index] as string)) index += 1
  return index
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function no(reason: string): JsonReading {
  return { ok: false, reason }
}
