/** A raw path taken apart, or why it cannot be: the reason goes to the log, not to the caller. */
export type PathReading =
  | { readonly ok: true; readonly segments: readonly string[] }
  | { readonly ok: false; readonly reason: string }

/** Both far above any published template; they bound the work that a hostile path can cause. */
const MAX_PATH_LENGTH = 8192
const MAX_SEGMENTS = 128

const SLASH = 0x2f
const PERCENT = 0x25

/** `pchar` of RFC 3986 §3.3 without `;`, whose path parameters servers strip or keep as they please. */
const SEGMENT_CHARACTERS = tableOf(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,=:@",
)

/**
 * Octets that need no encoding (RFC 3986 §2.3). Encoding them anyway is how `%2e%2e` or `%72epos` reads as one thing
 * here and as another upstream, and no client library does it. `~` is left out: older libraries do encode it.
 */
const NEEDLESSLY_ENCODED = tableOf('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._')

/** Octets whose encoding inside an encoding (`%252F`) can only be meant for a second decoder. */
const NEVER_DOUBLY_ENCODED = new Set(['00', '25', '2E', '2F', '5C'])

/**
 * Splits a raw path into raw segments and refuses every spelling that two servers could read differently: dot
 * segments, empty segments, `;`, backslashes, control octets, needless or double encoding. A single trailing slash
 * leaves an empty last segment, which only a template that ends in a slash matches. Nothing is decoded.
 *
 * @see RFC 3986 §2.3, §3.3, §6.2.2
 */
export function readRawPath(path: string): PathReading {
  if (path.charCodeAt(0) !== SLASH) return no('the path does not begin with a slash')
  if (path.length > MAX_PATH_LENGTH) return no('the path is too long')
  const segments: string[] = []
  let start = 1
  for (let index = 1; index <= path.length; index += 1) {
    const code = index === path.length ? SLASH : path.charCodeAt(index)
    if (code === SLASH) {
      if (segments.length === MAX_SEGMENTS) return no('the path has too many segments')
      if (start === index && index !== path.length) return no('the path has an empty segment')
      const segment = path.slice(start, index)
      if (segment === '.' || segment === '..') return no('the path has a dot segment')
      segments.push(segment)
      start = index + 1
    } else if (code === PERCENT) {
      const reason = faultOfTriplet(path, index)
      if (reason !== undefined) return no(reason)
      index += 2
    } else if (SEGMENT_CHARACTERS[code] !== 1) return no('the path has a character that must be encoded')
  }
  return { ok: true, segments }
}

/**
 * Decodes the value of a parameter, once. `mayHoldSlash` says that the template allows one; then the parts between the
 * slashes obey the same rules as segments, because the upstream may well walk them as a path.
 *
 * @returns `undefined` when the value is not UTF-8, or has a slash where none may be, or an empty or dot part.
 */
export function decodeParameter(raw: string, mayHoldSlash: boolean): string | undefined {
  if (!raw.includes('%') && !raw.includes('/')) return raw
  const value = decodeUtf8(raw)
  if (value === undefined || !value.includes('/')) return value
  if (!mayHoldSlash) return undefined
  const parts = value.split('/')
  return parts.some((part) => part === '' || part === '.' || part === '..') ? undefined : value
}

function decodeUtf8(raw: string): string | undefined {
  try {
    return decodeURIComponent(raw)
  } catch {
    return undefined
  }
}

function faultOfTriplet(path: string, index: number): string | undefined {
  const hex = path.slice(index + 1, index + 3)
  if (!/^[0-9A-Fa-f]{2}$/.test(hex)) return 'the path has a broken percent-encoding'
  const octet = Number.parseInt(hex, 16)
  if (octet < 0x20 || octet === 0x7f) return 'the path has an encoded control octet'
  if (octet === 0x5c) return 'the path has an encoded backslash'
  if (NEEDLESSLY_ENCODED[octet] === 1) return 'the path encodes a character that needs no encoding'
  if (octet === PERCENT && NEVER_DOUBLY_ENCODED.has(path.slice(index + 3, index + 5).toUpperCase())) {
    return 'the path is encoded twice'
  }
  return undefined
}

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256)
  for (const character of characters) table[character.charCodeAt(0)] = 1
  return table
}

function no(reason: string): PathReading {
  return { ok: false, reason }
}
