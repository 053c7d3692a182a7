import { lookup as systemLookup } from 'node:dns'
import type { LookupAddress, LookupAllOptions } from 'node:dns'
import { isIP } from 'node:net'
import type { LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import type { AddressGuard } from './address-guard.ts'

/** Name resolution as `dns.lookup` does it, for all addresses of a name. */
export type Lookup = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** The upstream's name or literal address leads only to addresses that the guard denies. */
class AddressDeniedError extends Error {
  override readonly name = 'AddressDeniedError'
  readonly code = 'TOOLGATE_ADDRESS_DENIED'
}

export interface GuardedConnectorOptions {
  readonly guard: AddressGuard
  readonly connectTimeoutMs: number
  /** PEM of the certificate authorities to trust; the system's own when absent. */
  readonly ca: string | string[] | undefined
  readonly lookup?: Lookup | undefined
}

/**
 * Opens connections for undici, HTTP/1.1 only. The guard sees each address at the moment of connecting, and only
 * addresses it saw are dialled, so a name that resolves differently the second time (DNS rebinding) gains nothing.
 */
export function createGuardedConnector(options: GuardedConnectorOptions): buildConnector.connector {
  const { guard, connectTimeoutMs, ca, lookup = systemLookup } = options
  const connect = buildConnector({
    allowH2: false,
    timeout: connectTimeoutMs,
    autoSelectFamily: true,
    lookup: guardedLookup(guard, lookup),
    ...(ca === undefined ? {} : { ca }),
  })
  return (target, callback) => {
    // Sockets skip the lookup for a literal address, so it is judged here.
    if (isIP(target.hostname) !== 0 && !guard(target.hostname)) {
      callback(new AddressDeniedError(`address denied: ${target.hostname}`), null)
      return
    }
    connect(target, callback)
  }
}

function guardedLookup(guard: AddressGuard, lookup: Lookup): LookupFunction {
  return (hostname, { all, ...options }, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, '')
        return
      }
      const allowed = addresses.filter(({ address }) => guard(address))
      const first = allowed[0]
      if (first === undefined) callback(new AddressDeniedError(`address denied: ${hostname}`), '')
      else if (all === true) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
  }
}
