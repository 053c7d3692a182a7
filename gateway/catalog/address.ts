import { createEntrances, type Entrance } from '../config/entrance.ts'
import type { ConfigProblem } from '../config/problem.ts'
import type { Addressed, Connector } from './connector.ts'
import { OWN_CONNECTOR, OWN_PREFIX } from './own-connector.ts'

/** How callers reach one connector: any mix of the three. */
export interface ConnectorAddress {
  readonly connector: Connector
  readonly prefix: string | undefined
  /** Host names, with or without a port. */
  readonly hosts: readonly string[]
  readonly port: number | undefined
}

/** What the listener knows of a request before anything is checked. */
export interface RequestAddress {
  /** `Host` as sent; only compared with configured names, never used to build a URL. */
  readonly untrustedHost: string | undefined
  /** Local port the connection came in on. */
  readonly port: number
  /** Raw path of the target, without the query. */
  readonly path: string
}

/**
 * Makes the function that tells which connector a request names: by the port it came in on, else by its host name, else
 * by the longest path prefix that ends at a segment boundary. What is the gateway's own is so at every way in.
 */
export function createAddressing(
  addresses: readonly ConnectorAddress[],
): (request: RequestAddress) => Addressed | undefined {
  const entranceOf = createEntrances(addresses)
  const byEntrance = new Map<Entrance, Connector>()
  const byPrefix: { prefix: string; connector: Connector }[] = []
  for (const { connector, prefix, hosts, port } of addresses) {
    if (port !== undefined) byEntrance.set(`port ${port}`, connector)
    for (const host of hosts) byEntrance.set(`host ${host.toLowerCase()}`, connector)
    if (prefix !== undefined) byPrefix.push({ prefix, connector })
  }
  byPrefix.sort((a, b) => b.prefix.length - a.prefix.length)

  return ({ untrustedHost, port, path }) => {
    const entrance = entranceOf(untrustedHost, port)
    if (path.startsWith(`${OWN_PREFIX}/`))
      return { connector: OWN_CONNECTOR, upstreamPath: path.slice(OWN_PREFIX.length), entrance }
    const whole = byEntrance.get(entrance)
    if (whole !== undefined) return { connector: whole, upstreamPath: path, entrance }
    const named = byPrefix.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`))
    if (named === undefined) return undefined
    return { connector: named.connector, upstreamPath: path.slice(named.prefix.length) || '/', entrance }
  }
}

/** Two connectors at one address would make the address ambiguous: a mistake of the configuration. */
export function checkAddresses(addresses: readonly ConnectorAddress[], problems: ConfigProblem[]): void {
  const holders = new Map<string, string>()
  for (const { connector, prefix, hosts, port } of addresses) {
    const keys = [
      ...(prefix === undefined ? [] : [`prefix ${prefix}`]),
      ...hosts.map((host) => `host ${host.toLowerCase()}`),
      ...(port === undefined ? [] : [`port ${port}`]),
    ]
    const path = `connectors.${connector.name}.address`
    if (keys.length === 0)
      problems.push({ path, reason: 'has no prefix, host or port, so nothing can reach it' })
    for (const key of keys) {
      const holder = holders.get(key)
      if (holder !== undefined) problems.push({ path, reason: `${key} is also the address of ${holder}` })
      else holders.set(key, connector.name)
    }
  }
}
