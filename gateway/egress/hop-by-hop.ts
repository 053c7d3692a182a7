import type { HeaderList } from '../lib/header-list.ts'

/** Fields that concern one connection only (RFC 9110 §7.6.1), with those older software still takes for such. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

const NONE: ReadonlySet<string> = new Set()

export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name)
}

/** Names that `Connection` declares to be of this hop, in lower case; they are dropped before anything is added. */
export function connectionOptions(headers: HeaderList): ReadonlySet<string> {
  const single = headers.get('connection')
  // What nearly every upstream says names no header.
  if (single === 'keep-alive' || single === 'close' || !headers.has('connection')) return NONE
  const options = headers.all('connection').flatMap((value) => value.split(','))
  return new Set(options.map((option) => option.trim().toLowerCase()))
}
