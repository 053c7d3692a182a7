import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Peer, PeerCertificate } from '../caller.ts'
import { describeCertificate } from './certificate.ts'

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
 * The client certificate that the handshake verified. Both conditions are needed: where certificates are optional an
 * unverifiable one is still presented, and a TLS 1.3 session that was resumed without any reports `authorized` all
 * the same (nodejs/node #64584). Its validity is for each request to check: a connection may outlive it.
 */
function certificateOf(socket: TLSSocket): PeerCertificate | undefined {
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined
  return certificate && describeCertificate(certificate)
}
