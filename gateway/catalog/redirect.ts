import type { Connector } from './connector.ts'

/**
 * Whether the gateway itself may follow a redirect of this connector to `host` (no port, lower case). The one `*` a
 * pattern may hold stands for characters of the first label only, so `*.example.com` is not `a.b.example.com`.
 */
export function redirectAllowed(connector: Connector, host: string): boolean {
  return connector.redirectHosts.some((pattern) => {
    const star = pattern.indexOf('*')
    if (star === -1) return host === pattern
    const [head, tail] = [pattern.slice(0, star), pattern.slice(star + 1)]
    if (host.length <= head.length + tail.length || !host.startsWith(head) || !host.endsWith(tail))
      return false
    return !host.slice(head.length, host.length - tail.length).includes('.')
  })
}
