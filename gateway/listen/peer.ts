import { createHash } from 'node:crypto'
import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Peer, PeerCertificate } from '../exchange.ts'

/** Reading a certificate costs as much as several calls, and a connection's never changes. */
const known = new WeakMap<Socket, Peer>()

/** Who is at the other end of the connection. */
export function peerOf(socket: Socket): Peer {
  const held = known.get(socket)
  if (held !== undefined) return held
  const secure = socket instanceof TLSSocket
  const peer = {
    address: socket.remoteAddress ?? '',
    secure,
    certificate: secure ? certificateOf(socket) : undefined,
  }
  known.set(socket, peer)
  return peer
}

/**
 * The client certificate, when the handshake verified one. Both conditions are needed: where certificates are
 * optional, an unverifiable one is still presented, and a TLS 1.3 session resumed without any certificate reports
 * `authorized` all the same (nodejs/node #64584).
 */
function certificateOf(socket: TLSSocket): PeerCertificate | undefined {
  if (!socket.authorized) return undefined
  const certificate = socket.getPeerX509Certificate()
  return certificate === undefined ? undefined : describe(certificate)
}

function describe(certificate: X509Certificate): PeerCertificate | undefined {
  const uris = urisOf(certificate.subjectAltName ?? '')
  if (uris === undefined) return undefined
  return {
    x5t: createHash('sha256').update(certificate.raw).digest('base64url'),
    uris,
    notAfterMs: certificate.validToDate.getTime(),
  }
}

/**
 * URI names of Node's one-line rendering. A quote in it means that some name holds a separator or a control
 * character, so the line has more than one reading and the certificate is not used at all.
 */
function urisOf(subjectAltName: string): string[] | undefined {
  if (subjectAltName.includes('"')) return undefined
  return subjectAltName
    .split(', ')
    .filter((name) => name.startsWith('URI:'))
    .map((name) => name.slice('URI:'.length))
}
