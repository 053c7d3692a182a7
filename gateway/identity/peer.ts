import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Peer } from '../caller.ts'
import { describeCertificate } from './certificate.ts'

/** Reading a certificate costs as much as several calls, and a connection's never changes. */
const known = new WeakMap<Socket, Peer>()

/** Who is at the other end of the connection. */
export function peerOf(socket: Socket): Peer {
  const held = known.get(socket)
  if (held !== undefined) return held
  const certificate = verifiedCertificateOf(socket)
  const peer = {
    address: socket.remoteAddress ?? '',
    secure: socket instanceof TLSSocket,
    certificate: certificate && describeCertificate(certificate),
  }
  known.set(socket, peer)
  return peer
}

/**
 * The client certificate that the handshake verified. Both conditions are needed: where certificates are optional an
 * unverifiable one is still presented, and a TLS 1.3 session that was resumed without any reports `authorized` all
 * the same (nodejs/node #64584). Its validity is for each request to check: a connection may outlive it.
 */
export function verifiedCertificateOf(socket: Socket): X509Certificate | undefined {
  return socket instanceof TLSSocket && socket.authorized ? socket.getPeerX509Certificate() : undefined
}
