/** One element of `X-Forwarded-Client-Cert`: keys in lower case, each with its values in order. */
export type XfccElement = ReadonlyMap<string, readonly string[]>

const KEYS = new Set(['by', 'hash', 'cert', 'chain', 'subject', 'uri', 'dns'])
const MAX_ELEMENTS = 16
/** A bare value, up to its separator. */
const BARE = /[^"\\,;=]*/y
/** A quoted value; only a quote and a backslash are ever escaped. */
const QUOTED = /"((?:[^"\\]|\\["\\])*)"/y
const KEY = /([A-Za-z]+)=/y

/**
 * Takes Envoy's header apart: elements by comma, pairs by semicolon, values quoted when they hold either.
 * @returns `undefined` for anything that two parsers could read differently, unknown keys included.
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#x-forwarded-client-cert
 */
export function parseXfcc(untrustedValue: string): readonly XfccElement[] | undefined {
  const elements: Map<string, string[]>[] = [new Map()]
  let offset = 0
  for (;;) {
    const key = match(KEY, untrustedValue, offset)
    const name = key?.[1]?.toLowerCase()
    if (key === undefined || name === undefined || !KEYS.has(name)) return undefined
    offset += key[0].length
    const quoted = match(QUOTED, untrustedValue, offset)
    const value = quoted ?? match(BARE, untrustedValue, offset)
    if (value === undefined) return undefined
    offset += value[0].length
    const text = quoted === undefined ? value[0] : (quoted[1] ?? '').replaceAll(/\\(.)/g, '$1')
    const element = elements.at(-1)
    element?.set(name, [...(element.get(name) ?? []), text])
    if (offset === untrustedValue.length) return elements
    const separator = untrustedValue[offset]
    offset += 1
    if (separator === ',') elements.push(new Map())
    else if (separator !== ';') return undefined
    if (elements.length > MAX_ELEMENTS) return undefined
  }
}

function match(sticky: RegExp, text: string, offset: number): RegExpExecArray | undefined {
  sticky.lastIndex = offset
  return sticky.exec(text) ?? undefined
}
