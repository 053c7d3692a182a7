/** Decoded fields of a query or of an urlencoded form, every value kept, in order of first appearance. */
export type Fields = ReadonlyMap<string, readonly string[]>

export type FieldsReading =
  { readonly ok: true; readonly fields: Fields } | { readonly ok: false; readonly reason: string }

const MAX_FIELDS = 1000
const MAX_NAME_LENGTH = 256
/** Names that no server trims, folds or cuts: nearly all of them. */
const UNCHANGED = /^[a-z0-9_-]+$/
const NO_FIELDS: FieldsReading = { ok: true, fields: new Map() }

/**
 * Parses `application/x-www-form-urlencoded` text, which is also how all four vendors read a query. A raw `;` is
 * refused, because some servers split fields there and others do not; clients encode it.
 *
 * @see https://url.spec.whatwg.org/#urlencoded-parsing
 */
export function readFields(text: string): FieldsReading {
  if (text === '') return NO_FIELDS
  if (text.includes(';')) return { ok: false, reason: 'a raw ";" may or may not separate fields' }
  const fields = new Map<string, string[]>()
  // Bounded before it is split: a body of nothing but separators is as many strings as it has bytes.
  const pairs = text.split('&', MAX_FIELDS + 1)
  if (pairs.length > MAX_FIELDS) return { ok: false, reason: 'too many fields' }
  for (const pair of pairs) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decodeField(equals === -1 ? pair : pair.slice(0, equals))
    const value = equals === -1 ? '' : decodeField(pair.slice(equals + 1))
    if (name === undefined || value === undefined) return { ok: false, reason: 'a field is not UTF-8' }
    if (name.length > MAX_NAME_LENGTH) return { ok: false, reason: 'the name of a field is too long' }
    const values = fields.get(name)
    if (values === undefined) fields.set(name, [value])
    else values.push(value)
  }
  return { ok: true, fields }
}

/**
 * Whether any field could be taken for `name` by a server that trims, folds case, cuts at NUL, reads `name[]` as
 * `name`, or turns a dot, a blank or an open bracket into `_`, as PHP and its kin do; the exact name does not count.
 */
export function hasLookalike(fields: Fields, name: string): boolean {
  if (fields.size === 0) return false
  const wanted = name.toLowerCase()
  for (const field of fields.keys()) {
    if (field === name) continue
    if (UNCHANGED.test(field)) {
      if (field === wanted) return true
      continue
    }
    const plain = field.replace(/\0.*$/s, '').trim().replaceAll(/[ .]/g, '_').toLowerCase()
    if (plain === wanted || plain.split('[', 1)[0] === wanted || plain.replaceAll('[', '_') === wanted)
      return true
  }
  return false
}

/** `undefined` for anything that is not one way to write UTF-8. */
function decodeField(raw: string): string | undefined {
  if (!raw.includes('%') && !raw.includes('+')) return raw
  try {
    return decodeURIComponent(withSpaces(raw))
  } catch {
    return undefined
  }
}

const PLUS = 0x2b
const SPACE = 0x20

/** Megabytes of `+` take string replacement seconds, and this a tenth of that. */
function withSpaces(raw: string): string {
  if (raw.length < 4096) return raw.replaceAll('+', ' ')
  const bytes = Buffer.from(raw)
  for (let index = 0; index < bytes.length; index += 1) if (bytes[index] === PLUS) bytes[index] = SPACE
  return bytes.toString()
}
