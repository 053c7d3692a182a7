import type { Connector } from '../catalog/connector.ts'

/** The address under which callers reach a connector, such as `https://gateway.example/github`; no slash at its end. */
export type ExternalBase = (connector: Connector) => string

/** Origins that stand for the connector in what its upstream says. */
export function ownOrigins({ origin, links }: Connector): readonly string[] {
  return links.origins.includes(origin) ? links.origins : [origin, ...links.origins]
}

export function isOwnOrigin(connector: Connector, origin: string): boolean {
  return origin === connector.origin || connector.links.origins.includes(origin)
}

/**
 * The gateway's address for a URL of the upstream, or `undefined` when the URL leads elsewhere or to a path that
 * this connector does not reach. The rest of the URL is kept byte for byte: it is what the caller sends back.
 */
function externalUrl(connector: Connector, base: string, url: string): string | undefined {
  for (const origin of ownOrigins(connector)) {
    const own = origin + connector.basePath
    // What follows must end the authority or path segment: api.example.com is not api.example.com.evil.test.
    if (url.startsWith(own) && /^(?:[/?#]|$)/.test(url.slice(own.length))) return base + url.slice(own.length)
  }
  return undefined
}

/** The gateway's address for a `Location`, which may be relative to `asked`, the URL the upstream was asked for. */
export function externalLocation(
  connector: Connector,
  base: string,
  asked: string,
  location: string,
): string | undefined {
  const direct = externalUrl(connector, base, location)
  if (direct !== undefined) return direct
  return URL.canParse(location, asked)
    ? externalUrl(connector, base, new URL(location, asked).href)
    : undefined
}

/**
 * A `Link` header (RFC 8288 §3) whose targets at the upstream's own origins lead through the gateway instead. A
 * relative target is meant relative to `asked`: below a prefix of ours it would lead somewhere else.
 */
export function externalLink(connector: Connector, base: string, asked: string, value: string): string {
  return value.replace(/<([^<>]*)>/g, (whole, url: string) => {
    const rewritten = externalLocation(connector, base, asked, url)
    return rewritten === undefined ? whole : `<${rewritten}>`
  })
}
