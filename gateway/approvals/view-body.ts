import { hash } from 'node:crypto'
import type { ReadBody } from '../exchange.ts'
import { assertNever } from '../lib/assert-never.ts'
import { parseMediaType } from '../lib/media-type.ts'
import { parseMultipart } from '../lib/multipart.ts'
import { count, digits, quoted, shown } from './visible.ts'

/** Lines and characters of a body that are shown; people read no more, and a notice cannot hold more. */
const MOST_LINES = 400
const MOST_CHARACTERS = 16_000

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** What a body says, one line for each thing, read from the bytes that will be sent and from nothing else. */
export function bodyLines(kind: ReadBody['kind'], bytes: Buffer, contentType: string): readonly string[] {
  switch (kind) {
    case 'none':
      return []
    case 'json':
      return jsonLines(bytes)
    case 'form':
      return bounded(fieldLines(bytes.toString()), bytes)
    case 'multipart':
      return bounded(partLines(bytes, contentType), bytes)
    case 'opaque':
      return opaqueLines(bytes)
    default:
      return assertNever(kind)
  }
}

/** Fields of a query or a form, decoded one by one in the order in which they stand. */
export function fieldLines(raw: string): string[] {
  if (raw === '') return []
  return raw.split('&').map((pair) => {
    const equals = pair.indexOf('=')
    const [name, value] = equals === -1 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
    return `${decoded(name)}: ${decoded(value)}`
  })
}

function decoded(raw: string): string {
  try {
    return shown(decodeURIComponent(raw.replaceAll('+', ' ')))
  } catch {
    return `${quoted(raw)} [as it stands: it cannot be decoded]`
  }
}

function partLines(bytes: Buffer, contentType: string): string[] {
  const boundary = parseMediaType(contentType)?.parameters.get('boundary') ?? ''
  const reading = parseMultipart(bytes, boundary)
  if (!reading.ok) return ['[the parts cannot be told apart]']
  const { fields, files } = reading.form
  const texts = [...fields].flatMap(([name, values]) =>
    values.map((value) => `${shown(name)}: ${shown(value)}`),
  )
  const named = files.map(
    ({ name, fileName, sizeBytes }) =>
      `${shown(name)}: file ${quoted(fileName)} [${count(sizeBytes)} bytes are not shown]`,
  )
  return [...texts, ...named]
}

function opaqueLines(bytes: Buffer): string[] {
  try {
    return [quoted(decoder.decode(bytes))]
  } catch {
    return ['[the bytes are no text and are not shown]']
  }
}

function bounded(lines: readonly string[], bytes: Buffer): string[] {
  const kept: string[] = []
  let characters = 0
  for (const line of lines) {
    characters += line.length
    if (kept.length === MOST_LINES || characters > MOST_CHARACTERS) {
      const left = lines.length - kept.length
      return [
        ...kept,
        `[${count(left)} more fields are not shown, sha256 of the whole body ${digestOf(bytes)}]`,
      ]
    }
    kept.push(line)
  }
  return kept
}

/**
 * Lays JSON out from its text, token by token: a parser would drop all but the last of repeated names, round numbers, and
 * put members that look like numbers first.
 */
function jsonLines(bytes: Buffer): string[] {
  const text = bytes.toString()
  const lines: string[] = []
  const open: (Set<string> | null)[] = []
  let line = ''
  let characters = 0
  const breakLine = (): void => {
    lines.push(line)
    characters += line.length
    line = '  '.repeat(Math.min(open.length, 64))
  }
  let index = 0
  while (index < text.length) {
    if (lines.length >= MOST_LINES || characters + line.length > MOST_CHARACTERS) {
      return [...lines, ...(line.trim() === '' ? [] : [line]), restOfJson(bytes, text, index)]
    }
    const token = tokenAt(text, index)
    index += token.length
    const first = token[0] ?? ''
    if (first === '{' || first === '[') {
      line += first
      open.push(first === '{' ? new Set() : null)
      const closing = /^\s*[}\]]/.exec(text.slice(index, index + 1_000))
      if (closing === null) breakLine()
    } else if (first === '}' || first === ']') {
      open.pop()
      if (!/[[{]$/.test(line)) breakLine()
      line += first
    } else if (first === ',') {
      line += first
      breakLine()
    } else if (first === ':') line += ': '
    else if (first === '"') line += stringToken(token, text, index, open.at(-1))
    else line += digits(token.trim())
  }
  return [...lines, line]
}

/** A bracket, comma or colon, a number or literal, or white space; strings are taken by hand, for they can be long. */
const TOKEN = /[{}[\],:]|[^\s{}[\],:"]+|\s+/y

function tokenAt(text: string, start: number): string {
  if (text[start] !== '"') {
    TOKEN.lastIndex = start
    return TOKEN.exec(text)?.[0] ?? text.slice(start)
  }
  for (let index = start + 1; index < text.length; index += 1) {
    if (text[index] === '\\') index += 1
    else if (text[index] === '"') return text.slice(start, index + 1)
  }
  return text.slice(start)
}

function stringToken(
  token: string,
  text: string,
  end: number,
  names: Set<string> | null | undefined,
): string {
  let value: string
  try {
    value = String(JSON.parse(token))
  } catch {
    return `${quoted(token)} [as it stands: it cannot be decoded]`
  }
  const isName = names instanceof Set && /^\s*:/.test(text.slice(end, end + 1_000))
  if (!isName) return quoted(value)
  const repeated = names.has(value)
  names.add(value)
  return repeated ? `${quoted(value)} [this name stands here more than once]` : quoted(value)
}

function restOfJson(bytes: Buffer, text: string, index: number): string {
  const shownBytes = Buffer.byteLength(text.slice(0, index))
  const rest = bytes.subarray(shownBytes)
  return `[${count(rest.length)} more bytes are not shown, their sha256 ${digestOf(rest)}]`
}

function digestOf(bytes: Buffer): string {
  return hash('sha256', bytes, 'hex')
}
