/** The bytes of an address in network order: 4 for IPv4, 16 for IPv6. */
export type IpAddress = Uint8Array

export interface AddressRange {
  readonly network: IpAddress
  readonly prefixBits: number
}

const IPV4 = /^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$/
const IPV6_GROUP = /^[0-9A-Fa-f]{1,4}$/

/**
 * Reads an IPv4 address in strict dotted decimal or an IPv6 address (RFC 4291 §2.2). Octal and shortened IPv4
 * forms and zone identifiers give `undefined`: parsers disagree on them, and an address that two parsers read
 * differently must not pass a guard.
 */
export function parseAddress(text: string): IpAddress | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

/** Reads `address/prefix`, or a bare address as a range of one; bits beyond the prefix are ignored. */
export function parseRange(text: string): AddressRange | undefined {
  const slash = text.indexOf('/')
  const network = parseAddress(slash === -1 ? text : text.slice(0, slash))
  if (network === undefined) return undefined
  const widthBits = network.length * 8
  if (slash === -1) return { network, prefixBits: widthBits }
  const prefix = text.slice(slash + 1)
  if (!/^(?:0|[1-9]\d{0,2})$/.test(prefix) || Number(prefix) > widthBits) return undefined
  return { network, prefixBits: Number(prefix) }
}

/** Whether `address` lies in `range`; never across families. */
export function contains(range: AddressRange, address: IpAddress): boolean {
  if (address.length !== range.network.length) return false
  const wholeBytes = range.prefixBits >> 3
  for (let index = 0; index < wholeBytes; index += 1) {
    if (address[index] !== range.network[index]) return false
  }
  const restBits = range.prefixBits & 7
  if (restBits === 0) return true
  const difference = (address[wholeBytes] ?? 0) ^ (range.network[wholeBytes] ?? 0)
  return difference >> (8 - restBits) === 0
}

function parseIpv4(text: string): IpAddress | undefined {
  if (!IPV4.test(text)) return undefined
  const octets = text.split('.').map(Number)
  return octets.every((octet) => octet <= 255) ? Uint8Array.from(octets) : undefined
}

function parseIpv6(text: string): IpAddress | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = groupsOf(halves[0] ?? '', halves.length === 1)
  const tail = halves.length === 2 ? groupsOf(halves[1] ?? '', true) : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 16 - head.length - tail.length
  // RFC 4291 §2.2: `::` stands for one or more groups of zeros.
  if (halves.length === 2 ? missing < 2 : missing !== 0) return undefined
  const bytes = new Uint8Array(16)
  bytes.set(head, 0)
  bytes.set(tail, 16 - tail.length)
  return bytes
}

/** Bytes of colon-separated groups; the last one may be an IPv4 address where the text ends the address. */
function groupsOf(text: string, endsAddress: boolean): number[] | undefined {
  if (text === '') return []
  const bytes: number[] = []
  const groups = text.split(':')
  for (const [index, group] of groups.entries()) {
    if (group.includes('.')) {
      const embedded = endsAddress && index === groups.length - 1 ? parseIpv4(group) : undefined
      if (embedded === undefined) return undefined
      bytes.push(...embedded)
    } else {
      if (!IPV6_GROUP.test(group)) return undefined
      const value = Number.parseInt(group, 16)
      bytes.push(value >> 8, value & 0xff)
    }
  }
  return bytes
}
