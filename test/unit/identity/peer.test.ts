import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { peerOf } from '../../../gateway/identity/peer.ts'

describe('The peer of a call', () => {
  it('has no certificate over plain TCP', () => {
    expect(peerOf(new Socket())).toEqual({ address: '', secure: false, certificate: undefined })
  })

  it('has none where the handshake counts as authorized without any (nodejs/node #64584)', () => {
    const socket = new TLSSocket(new Socket())
    socket.authorized = true
    expect(peerOf(socket)).toMatchObject({ secure: true, certificate: undefined })
  })

  it('is read once for each connection', () => {
    const socket = new Socket()
    expect(peerOf(socket)).toBe(peerOf(socket))
  })
})
