import { hash } from 'node:crypto'

/**
 * What a screen shows as nothing, as white space, or in another order than it stands: controls, format characters, line
 * and paragraph separators, private and unassigned characters, lone surrogates, spaces other than the one, fillers, and
 * the Braille blank.
 */
const HIDDEN =
  /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Me}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}|(?<=\p{M}{2})\p{M}/gu

/** Nothing in it needs quotes to be told from what stands around it. */
const PLAIN = /^[!#-+\--Z^-~]+$/

const SCRIPTS = [
  'Latin',
  'Greek',
  'Cyrillic',
  'Armenian',
  'Cherokee',
  'Georgian',
  'Hebrew',
  'Arabic',
] as const
const LETTERS = SCRIPTS.map((name) => ({ name, letters: new RegExp(`\\p{Script=${name}}`, 'u') }))

/** Longer texts are cut, and what is cut off is counted and digested. */
const LONGEST = 2_000

/**
 * One line that shows exactly this text and no other: in quotes unless it is a plain word, with every character that a
 * person could not see, or could take for something else, written as an ASCII escape. What is said about the text stands
 * in brackets behind the quotes, where no text can put it.
 */
export function shown(text: string): string {
  return PLAIN.test(text) && text.length <= LONGEST ? text : quoted(text)
}

/** {@link shown}, always in quotes. */
export function quoted(text: string, longest = LONGEST): string {
  const head = text.length > longest ? text.slice(0, longest) : text
  const parts = [`"${escaped(head)}"`]
  const scripts = scriptsIn(head)
  if (scripts.length > 1) parts.push(`[letters of ${scripts.join(' and ')}]`)
  if (head !== text) parts.push(restOf(text.slice(longest)))
  return parts.join(' ')
}

/** Digits as they stand, never through a number, which would round them. */
export function digits(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 100)} ${restOf(text.slice(100))}`
}

function restOf(rest: string): string {
  // Not UTF-8, in which every lone surrogate is the same.
  const digest = hash('sha256', Buffer.from(rest, 'utf16le'), 'hex')
  return `[${count(rest.length)} more characters are not shown, sha256 of their UTF-16 ${digest}]`
}

export function count(value: number): string {
  return value.toLocaleString('en-US')
}

function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
    .replace(HIDDEN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
}

function scriptsIn(text: string): string[] {
  return LETTERS.filter(({ letters }) => letters.test(text)).map(({ name }) => name)
}
