import { createHash, createPrivateKey, randomUUID, sign } from 'node:crypto'
import { encode } from '../../harness/signing.ts'
import type { LoadAgent, LoadPlan } from './plan.ts'

const HOST = '127.0.0.1'
/** Calls that need not differ from each other are made once and sent again. */
const UNSIGNED = 2_048

/** Bytes of requests, ready to be written. */
export interface Requests {
  /** `undefined` when all that were signed are spent. */
  next(): Buffer | undefined
}

/** Makes the requests of a plan; every number and every proof is used once in the life of this process. */
export function createRequestMaker(plan: LoadPlan): (calls: number) => Requests {
  const isSigned = plan.agents.some(({ key }) => key !== undefined)
  const credentials = plan.agents.map((agent) => credentialOf(plan, agent))
  let made = 0
  const make = (): Buffer => {
    const target = plan.target.replace('{n}', String(++made))
    return requestOf(plan, target, credentials[made % credentials.length]?.(target) ?? [])
  }
  const ring = isSigned ? [] : Array.from({ length: Math.max(UNSIGNED, plan.agents.length) }, make)
  return (calls) => {
    const buffers = isSigned ? Array.from({ length: calls }, make) : ring
    let taken = 0
    return { next: () => (isSigned ? buffers[taken++] : buffers[taken++ % buffers.length]) }
  }
}

function requestOf({ method, port, headers, body }: LoadPlan, target: string, credential: string[]): Buffer {
  const lines = [`${method} ${target} HTTP/1.1`, `Host: ${HOST}:${String(port)}`, ...credential]
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
  if (body !== '') lines.push('Content-Type: application/json', `Content-Length: ${String(body.length)}`)
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`)
}

/** All of a proof (RFC 9449 §4.2) that stays the same is made once, so that signing is most of what is left. */
function credentialOf(
  { method, port, tls }: LoadPlan,
  { token, key }: LoadAgent,
): (target: string) => string[] {
  if (key === undefined) {
    const lines = [`Authorization: Bearer ${token}`]
    return () => lines
  }
  const origin = `${tls === undefined ? 'http' : 'https'}://${HOST}:${String(port)}`
  const privateKey = createPrivateKey({ key: key.privateJwk, format: 'jwk' })
  const header = encode({ typ: 'dpop+jwt', alg: 'ES256', jwk: key.publicJwk })
  const ath = createHash('sha256').update(token).digest('base64url')
  return (target) => {
    const htu = origin + target.replace(/\?.*/, '')
    const claims = { jti: randomUUID(), htm: method, htu, iat: Math.floor(Date.now() / 1_000), ath }
    const input = `${header}.${encode(claims)}`
    const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
    return [`Authorization: DPoP ${token}`, `DPoP: ${input}.${signature.toString('base64url')}`]
  }
}
