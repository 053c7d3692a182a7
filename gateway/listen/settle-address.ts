import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import type { Config, ListenConfig } from '../config/config.ts'

/** The main port of the listener: the configured one, or a free one where the system may choose. */
export function settlePort({ host, port }: ListenConfig): Promise<number> | number {
  return port === 0 ? findFreePort(host) : port
}

/**
 * The listener's configuration with the origins by which callers know it, where none are named (on loopback only, as
 * the configuration check demands): one for the main port, for the port of each connector, and for each host name.
 * Proofs are checked against them, so they have to be settled before the first call.
 *
 * @param port from {@link settlePort}
 */
export function settleOrigins({ listen, connectors }: Config, port: number): ListenConfig {
  if (listen.externalOrigins.length > 0) return { ...listen, port }
  const scheme = listen.tls === undefined ? 'http' : 'https'
  const addresses = Object.values(connectors).map(({ address }) => address)
  const ports = [port, ...addresses.flatMap((address) => address.port ?? [])]
  const own = [listen.host.includes(':') ? `[${listen.host}]` : listen.host, 'localhost']
  const names = addresses.flatMap(({ hosts }) =>
    hosts.map((host) => (/:[0-9]+$/.test(host) ? host : `${host}:${port}`)),
  )
  const authorities = [...own.flatMap((host) => ports.map((each) => `${host}:${each}`)), ...names]
  const externalOrigins = [...new Set(authorities)].map((authority) => `${scheme}://${authority}`)
  return { ...listen, port, externalOrigins }
}

async function findFreePort(host: string): Promise<number> {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
