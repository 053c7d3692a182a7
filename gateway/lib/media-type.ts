/** A `Content-Type` taken apart; type and parameter names in lower case, quoted values unquoted. */
export interface MediaType {
  readonly essence: string
  readonly parameters: ReadonlyMap<string, string>
}

const NO_PARAMETERS: ReadonlyMap<string, string> = new Map()
const ESSENCE = /^[!#$%&'*+.^`|~\w-]+\/[!#$%&'*+.^`|~\w-]+$/
const PARAMETER = /[\t ]*;[\t ]*(?:([!#$%&'*+.^`|~\w-]+)=(?:([!#$%&'*+.^`|~\w-]+)|"((?:[^"\\]|\\.)*)"))?/gy
const LONGEST_MEDIA_TYPE = 256

/**
 * Reads a media type strictly: `undefined` for anything outside the grammar and for a parameter given twice, where
 * two readers would take different ones.
 *
 * @see RFC 9110 §8.3.1, §5.6.6
 */
export function parseMediaType(untrusted: string): MediaType | undefined {
  if (untrusted.length > LONGEST_MEDIA_TYPE) return undefined
  const semicolon = untrusted.indexOf(';')
  const essence = (semicolon === -1 ? untrusted : untrusted.slice(0, semicolon)).trim().toLowerCase()
  if (!ESSENCE.test(essence)) return undefined
  if (semicolon === -1) return { essence, parameters: NO_PARAMETERS }
  const rest = untrusted.slice(semicolon).trimEnd()
  const parameters = new Map<string, string>()
  PARAMETER.lastIndex = 0
  while (PARAMETER.lastIndex < rest.length) {
    const found = PARAMETER.exec(rest)
    if (found === null) return undefined
    const [, name, token, quoted] = found
    if (name === undefined) continue
    const key = name.toLowerCase()
    if (parameters.has(key)) return undefined
    parameters.set(key, token ?? (quoted ?? '').replaceAll(/\\(.)/g, '$1'))
  }
  return { essence, parameters }
}

/** Whether a body of this type is JSON (RFC 8259, or the `+json` suffix of RFC 6839 §3.1). */
export function isJsonType(essence: string): boolean {
  return essence === 'application/json' || essence.endsWith('+json')
}
