import type { Entrance } from '../config/entrance.ts'

/** Whether the `htu` of a proof names the target of this request, which came by that way in. */
export type TargetCheck = (untrustedHtu: string, path: string, entrance: Entrance) => boolean

/** Userinfo would put our authority where another host is meant; a fragment is never part of a target URI. */
const HTU = /^([a-z]+:\/\/[^/?#@\\]+)(\/[^?#\\]*)?(?:\?[^#\\]*)?$/i
const PRINTABLE = /^[\x21-\x7e]+$/
const ESCAPE = /%[0-9A-Fa-f]{2}/g
const UNRESERVED = /[A-Za-z0-9\-._~]/

/**
 * Compares `htu` with the origins of the configuration and the raw path that routing uses (RFC 9449 §4.3 check 9).
 * The URL is never built from `Host` or `X-Forwarded-*`: whoever sends those would choose what the proof is for. The
 * origins are those of the way in that chose the connector, so that a proof for a path behind one port or host name is
 * none for the same path behind another.
 *
 * @param origins by way in, each without a default port; a way in without any takes no proof at all
 */
export function createTargetCheck(
  origins: ReadonlyMap<Entrance, readonly string[]>,
  pathPrefix: string,
): TargetCheck {
  return (untrustedHtu, path, entrance) => {
    const candidates = origins.get(entrance) ?? []
    const target = pathPrefix + path
    if (candidates.some((origin) => origin + target === untrustedHtu)) return true
    const parts = PRINTABLE.test(untrustedHtu) ? HTU.exec(untrustedHtu) : null
    if (parts === null) return false
    const origin = canonicalOrigin(parts[1] ?? '')
    if (origin === undefined || !candidates.includes(origin)) return false
    return canonicalPath(parts[2] ?? '/') === canonicalPath(target)
  }
}

/** RFC 3986 §6.2.2.1, §6.2.3: scheme and host in lower case, default port left out; `undefined` for no origin. */
function canonicalOrigin(untrustedOrigin: string): string | undefined {
  const url = URL.parse(untrustedOrigin)
  return url === null || url.username !== '' ? undefined : url.origin
}

/**
 * RFC 3986 §6.2.2: hex digits in upper case and needless escapes undone. Dot segments are left alone (receive has
 * refused them in the path, so an `htu` that has any is another target), and `%2F` is never a slash.
 */
function canonicalPath(path: string): string {
  if (!path.includes('%')) return path
  return path.replaceAll(ESCAPE, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    return UNRESERVED.test(character) ? character : escape.toUpperCase()
  })
}
