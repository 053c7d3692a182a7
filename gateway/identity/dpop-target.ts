/** Whether the `htu` of a proof names the target of this request. */
export type TargetCheck = (untrustedHtu: string, path: string, untrustedHost: string | undefined) => boolean

interface ExternalOrigin {
  /** Scheme, host and port, without a default port. */
  readonly origin: string
  readonly host: string
  readonly hostname: string
}

/** Userinfo would put our authority where another host is meant; a fragment is never part of a target URI. */
const HTU = /^([a-z]+:\/\/[^/?#@\\]+)(\/[^?#\\]*)?(?:\?[^#\\]*)?$/i
const PRINTABLE = /^[\x21-\x7e]+$/
const ESCAPE = /%[0-9A-Fa-f]{2}/g
const UNRESERVED = /[A-Za-z0-9\-._~]/

/**
 * Compares `htu` with the origins of the configuration and the raw path that routing uses (RFC 9449 §4.3 check 9).
 * The URL is never built from `Host` or `X-Forwarded-*`: whoever sends those would choose what the proof is for.
 * `Host` only ever narrows the choice among configured origins, so that a proof made for one of several host names
 * is no proof for the connector behind another.
 */
export function createTargetCheck(externalOrigins: readonly string[], pathPrefix: string): TargetCheck {
  const origins = externalOrigins.map((text): ExternalOrigin => {
    const { origin, host, hostname } = new URL(text)
    return { origin, host, hostname }
  })
  return (untrustedHtu, path, untrustedHost) => {
    const candidates = narrow(origins, untrustedHost)
    const target = pathPrefix + path
    if (candidates.some(({ origin }) => origin + target === untrustedHtu)) return true
    const parts = PRINTABLE.test(untrustedHtu) ? HTU.exec(untrustedHtu) : null
    if (parts === null) return false
    const origin = canonicalOrigin(parts[1] ?? '')
    if (!candidates.some((candidate) => candidate.origin === origin)) return false
    return canonicalPath(parts[2] ?? '/') === canonicalPath(target)
  }
}

function narrow(
  origins: readonly ExternalOrigin[],
  untrustedHost: string | undefined,
): readonly ExternalOrigin[] {
  if (origins.length < 2 || untrustedHost === undefined) return origins
  const host = untrustedHost.toLowerCase()
  const exact = origins.filter((origin) => origin.host === host)
  if (exact.length > 0) return exact
  const hostname = host.replace(/:\d*$/, '')
  const named = origins.filter((origin) => origin.hostname === hostname)
  return named.length > 0 ? named : origins
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
