import type { Config } from './config.ts'

/**
 * The way in by which a request reached its connector: a port or a host name that belongs to one connector, or the
 * origins that all connectors with a prefix share. One path means something else at each of them, so what a caller
 * proved for one way in is proof for no other.
 */
export type Entrance = 'prefix' | `host ${string}` | `port ${number}`

/** The parts of an address that are a way in of their own. */
interface OwnEntrances {
  /** Host names, with or without a port. */
  readonly hosts: readonly string[]
  readonly port: number | undefined
}

/**
 * Makes the function that names the way in of a request: the port it came in on, else its host name, else the origins
 * that are shared. `untrustedHost` is only compared with configured names.
 */
export function createEntrances(
  addresses: Iterable<OwnEntrances>,
): (untrustedHost: string | undefined, port: number) => Entrance {
  const ports = new Set<number>()
  const names = new Set<string>()
  for (const { hosts, port } of addresses) {
    if (port !== undefined) ports.add(port)
    for (const host of hosts) names.add(host.toLowerCase())
  }
  return (untrustedHost, port) => {
    if (ports.has(port)) return `port ${port}`
    if (untrustedHost === undefined || names.size === 0) return 'prefix'
    const host = untrustedHost.toLowerCase()
    if (names.has(host)) return `host ${host}`
    const name = host.replace(/:[0-9]{1,5}$/, '')
    return names.has(name) ? `host ${name}` : 'prefix'
  }
}

/** The external origins by the way in that a request to them comes by, each without a default port. */
export function originsByEntrance({
  listen,
  connectors,
}: {
  readonly listen: Pick<Config['listen'], 'externalOrigins'>
  readonly connectors: Readonly<Record<string, { readonly address: OwnEntrances }>>
}): ReadonlyMap<Entrance, readonly string[]> {
  const entranceOf = createEntrances(Object.values(connectors).map(({ address }) => address))
  const origins = new Map<Entrance, string[]>()
  for (const text of listen.externalOrigins) {
    const { origin, protocol, hostname, port } = new URL(text)
    const effectivePort = Number(port || (protocol === 'https:' ? 443 : 80))
    const entrance = entranceOf(`${hostname}:${effectivePort}`, effectivePort)
    const held = origins.get(entrance)
    if (held === undefined) origins.set(entrance, [origin])
    else held.push(origin)
  }
  return origins
}
