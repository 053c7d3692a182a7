import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeJwt, decodeProtectedHeader, EmbeddedJWK, jwtVerify } from 'jose'
import { startIssuer } from '../../../gateway/dev/issuer.ts'

/** What the script may look at before it answers. */
export interface ScriptedCall {
  readonly method: string
  readonly target: string
  readonly body: string
  readonly header: (name: string) => string
  readonly claims: Readonly<Record<string, unknown>>
  /** Whether the proof's key is the one that the token is bound to. */
  readonly bound: boolean
  /** Whether the very proof was seen before. */
  readonly replayed: boolean
}

export interface ScriptedReply {
  readonly decision?: 'allow' | 'deny' | 'hold'
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export interface ScriptedGateway extends AsyncDisposable {
  readonly origin: string
  readonly calls: readonly ScriptedCall[]
}

/** A responder that looks like the gateway from outside, with a real issuer behind its metadata. */
export async function startScriptedGateway(
  script: (call: ScriptedCall) => ScriptedReply,
): Promise<ScriptedGateway> {
  const calls: ScriptedCall[] = []
  const proofs = new Set<string>()
  let issuerOrigin = ''
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => void answer(Buffer.concat(chunks).toString()))
    const answer = async (body: string): Promise<void> => {
      if (request.url === '/.well-known/oauth-protected-resource') {
        response.end(JSON.stringify({ resource: origin, authorization_servers: [issuerOrigin] }))
        return
      }
      const proof = String(request.headers['dpop'] ?? '')
      const token = /^DPoP (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
      const call: ScriptedCall = {
        method: request.method ?? '',
        target: request.url ?? '',
        body,
        header: (name) => String(request.headers[name.toLowerCase()] ?? ''),
        claims: token === '' ? {} : decodeJwt(token),
        bound: proof !== '' && (await isBound(proof, token)),
        replayed: proofs.has(proof),
      }
      proofs.add(proof)
      calls.push(call)
      const reply = script(call)
      const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body ?? {})
      response.writeHead(reply.status ?? 200, {
        'Content-Type': 'application/json',
        'Toolgate-Call-Id': `call-${calls.length}`,
        'Toolgate-Decision': reply.decision ?? 'allow',
        ...reply.headers,
      })
      response.end(text)
    }
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const issuer = await startIssuer({ audience: origin, adminAudience: `${origin}/admin` })
  issuerOrigin = issuer.origin
  return {
    origin,
    calls,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => void server.close(() => resolve()))
      await issuer[Symbol.asyncDispose]()
    },
  }
}

async function isBound(proof: string, token: string): Promise<boolean> {
  const { calculateJwkThumbprint } = await import('jose')
  await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt' })
  const { jwk } = decodeProtectedHeader(proof)
  const { cnf } = decodeJwt<{ cnf?: { jkt?: string } }>(token)
  return jwk !== undefined && (await calculateJwkThumbprint(jwk)) === cnf?.jkt
}
