import type { IncomingHttpHeaders } from 'node:http'

/** Header names that belong to the hop between agent and gateway and must not reach a vendor. */
const INBOUND_ONLY =
  /^(dpop|toolgate-.*|client-cert|client-cert-chain|forwarded|x-forwarded-.*|proxy-.*|cookie)$/

const JWT = /eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+/g

/**
 * Names what an agent sent for the gateway alone and that nevertheless arrived upstream: header names, and
 * `<where> carries <typ>` for an access token or a DPoP proof found by its content anywhere in the request.
 */
export function findLeaks(target: string, headers: IncomingHttpHeaders, body: Buffer): string[] {
  const leaks: string[] = []
  for (const [name, value] of Object.entries(headers)) {
    if (INBOUND_ONLY.test(name)) leaks.push(name)
    if (name === 'authorization' && /^dpop\s/i.test(String(value))) leaks.push('authorization: DPoP')
    for (const typ of agentTokenTypes(String(value))) leaks.push(`${name} carries ${typ}`)
  }
  for (const typ of agentTokenTypes(target)) leaks.push(`target carries ${typ}`)
  for (const typ of agentTokenTypes(body.toString('latin1'))) leaks.push(`body carries ${typ}`)
  return leaks
}

/** The `typ` of every JWT in `text` that only an agent would hold (RFC 9068 §2.1, RFC 9449 §4.2). */
function agentTokenTypes(text: string): string[] {
  return [...text.matchAll(JWT)]
    .map(([jwt]) => typeOf(jwt))
    .filter((typ) => typ === 'at+jwt' || typ === 'dpop+jwt')
}

function typeOf(jwt: string): string {
  try {
    const header: unknown = JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString())
    return typeof header === 'object' && header !== null && 'typ' in header ? String(header.typ) : ''
  } catch {
    return ''
  }
}
