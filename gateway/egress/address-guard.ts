import { contains, parseAddress, parseRange } from './ip-address.ts'
import type { AddressRange, IpAddress } from './ip-address.ts'

/** Says whether the gateway may open a connection to an address, given as text. */
export type AddressGuard = (address: string) => boolean

/** IANA IPv4 Special-Purpose Address Registry (RFC 6890), multicast, and a cloud's wire server in public space. */
const IPV4_DENIED = ranges([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '168.63.129.16/32',
])

/** Only what IANA hands out as global unicast; unique local, link-local, multicast and the rest are outside. */
const IPV6_GLOBAL = range('2000::/3')

/** Inside global unicast but not public: protocol assignments with Teredo, documentation, 6to4. */
const IPV6_DENIED = ranges(['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'])

/** IPv6 forms that reach an IPv4 address: mapped (RFC 4291 §2.5.5.2) and the NAT64 prefix (RFC 6052 §2.1). */
const IPV4_IN_IPV6 = ranges(['::ffff:0:0/96', '64:ff9b::/96'])

/** Credentials are served here to whoever asks: reachable only by an entry that names the address itself. */
const METADATA = ranges([
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '100.100.100.200',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
  '168.63.129.16',
])

/**
 * Allows public addresses and `allowAddresses` (CIDR ranges or single addresses). What does not parse is denied.
 * Throws a `TypeError` naming the first entry that is no range.
 */
export function createAddressGuard(allowAddresses: readonly string[]): AddressGuard {
  const allowed = ranges(allowAddresses)
  return (text) => {
    const address = parseAddress(text)
    if (address === undefined) return false
    const reached = embeddedIpv4(address) ?? address
    if (METADATA.some((metadata) => contains(metadata, reached))) {
      return allowed.some(
        (entry) => isSingle(entry) && (contains(entry, reached) || contains(entry, address)),
      )
    }
    return isPublic(reached) || allowed.some((entry) => contains(entry, reached) || contains(entry, address))
  }
}

function isPublic(address: IpAddress): boolean {
  if (address.length === 4) return !IPV4_DENIED.some((denied) => contains(denied, address))
  return contains(IPV6_GLOBAL, address) && !IPV6_DENIED.some((denied) => contains(denied, address))
}

/** The IPv4 address that a packet to this IPv6 address ends up at. */
function embeddedIpv4(address: IpAddress): IpAddress | undefined {
  return IPV4_IN_IPV6.some((form) => contains(form, address)) ? address.subarray(12) : undefined
}

function isSingle(entry: AddressRange): boolean {
  return entry.prefixBits === entry.network.length * 8
}

function ranges(texts: readonly string[]): readonly AddressRange[] {
  return texts.map(range)
}

function range(text: string): AddressRange {
  const parsed = parseRange(text)
  if (parsed === undefined) throw new TypeError(`not an address range: ${text}`)
  return parsed
}
