import { isLoopback } from '../config/loopback.ts'
import { problem, type Answer } from './answer.ts'
import type { AdminRequest } from './request.ts'

const LOOPBACK_AUTHORITY = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i
/** RFC 7239, RFC 9110 §7.6.3, and what proxies wrote before. */
const FORWARDING = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip']

/**
 * Whether a request comes from this machine and from no web page: to a name that only this machine has, so that no
 * page got here by a name of its own (DNS rebinding), and passed on by no proxy that says so.
 */
export function isFromThisMachine({ headers }: AdminRequest): boolean {
  return LOOPBACK_AUTHORITY.test(headers.get('host') ?? '') && !FORWARDING.some((name) => headers.has(name))
}

/** The origins under which a listener is known: those of the configuration, and this machine's own names for it. */
export function ownOrigins(
  { host, externalOrigins }: { readonly host: string; readonly externalOrigins: readonly string[] },
  scheme: 'http' | 'https',
  port: number,
): readonly string[] {
  if (!isLoopback(host)) return externalOrigins
  const local = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${scheme}://${name}:${port}`)
  return [...new Set([...externalOrigins, ...local])]
}

/** Whether `Host` is a name of this listener, or of this machine. */
export function isOwnAuthority({ headers }: AdminRequest, origins: readonly string[]): boolean {
  const host = (headers.get('host') ?? '').toLowerCase()
  return LOOPBACK_AUTHORITY.test(host) || origins.some((origin) => new URL(origin).host === host)
}

/**
 * Refuses what a page of another site makes a browser send. A client certificate, or being on this machine, is a
 * credential that the browser adds by itself (CSRF), so it is not enough that nothing of the answer can be read there.
 */
export function crossSite({ headers }: AdminRequest, origins: readonly string[]): Answer | undefined {
  const origin = headers.get('origin')
  const site = headers.get('sec-fetch-site')
  const isForeign =
    headers.count('origin') > 1 ||
    (origin !== undefined && !origins.includes(origin)) ||
    (site !== undefined && site !== 'same-origin' && site !== 'none')
  return isForeign ? problem(403, 'Requests of other sites are refused') : undefined
}
