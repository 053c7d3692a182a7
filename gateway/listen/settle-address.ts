import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import type { Config, ListenConfig } from '../config/config.ts'

/**
 * Gives the listener a port where the system may choose one, and the origins by which callers know it where none
 * are named (on loopback only, as the configuration check demands). Proofs are checked against origins, so both
 * have to be settled before the first call.
 */
export async function settleAddress({
  listen,
  connectors,
}: Config): Promise<{ readonly listen: ListenConfig }> {
  const port = listen.port === 0 ? await findFreePort(listen.host) : listen.port
  if (listen.externalOrigins.length > 0) return { listen: { ...listen, port } }
  const scheme = listen.tls === undefined ? 'http' : 'https'
  const ports = [port, ...Object.values(connectors).flatMap(({ address }) => address.port ?? [])]
  const hosts = [...new Set([listen.host.includes(':') ? `[${listen.host}]` : listen.host, 'localhost'])]
  const externalOrigins = hosts.flatMap((host) => ports.map((each) => `${scheme}://${host}:${each}`))
  return { listen: { ...listen, port, externalOrigins } }
}

async function findFreePort(host: string): Promise<number> {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
