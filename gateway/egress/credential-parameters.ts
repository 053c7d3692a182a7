import type { Connector } from '../catalog/connector.ts'
import type { ReadBody } from '../exchange.ts'

/**
 * The first name under which the call carries a credential of its own outside `Authorization`, in its query, its
 * form or the top level of its JSON; `undefined` when there is none. Such a credential would act instead of ours.
 */
export function misplacedCredential(
  { credentialParameters }: Connector,
  query: string,
  content: ReadBody,
): string | undefined {
  const { query: inQuery, body: inBody } = credentialParameters
  if (inQuery.length > 0 && query !== '') {
    const name = misplacedParameter(query, inQuery)
    if (name !== undefined) return name
  }
  if (inBody.length === 0) return undefined
  if (content.kind === 'form') return misplacedParameter(content.bytes.toString('latin1'), inBody)
  return content.kind === 'json' ? misplacedMember(content.bytes, inBody) : undefined
}

/** The first of `names` that a raw query or a URL-encoded form has, in any case and percent-encoding. */
export function misplacedParameter(encoded: string, names: readonly string[]): string | undefined {
  for (const pair of encoded.split(/[&;]/)) {
    const key = decoded(pair.split('=', 1)[0] ?? '').toLowerCase()
    // PHP and Rails read `token[]` as `token` too.
    const bracket = key.indexOf('[')
    const name = (bracket === -1 ? key : key.slice(0, bracket)).trim()
    const found = names.find((wanted) => wanted.toLowerCase() === name)
    if (found !== undefined) return found
  }
  return undefined
}

function misplacedMember(body: Buffer, names: readonly string[]): string | undefined {
  // Read already saw to it that this is JSON; it is parsed again only where a name, or an escape that could
  // hide one, stands in it at all.
  if (!body.includes('\\u') && !names.some((name) => body.includes(`"${name}"`))) return undefined
  const parsed: unknown = JSON.parse(body.toString())
  if (typeof parsed !== 'object' || parsed === null) return undefined
  return names.find((name) => Object.hasOwn(parsed, name))
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    return key
  }
}
