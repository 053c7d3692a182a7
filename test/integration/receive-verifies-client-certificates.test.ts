import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { describe, expect, it } from 'vitest'
import type { TlsConfig } from '../../gateway/config/config.ts'
import { startListener } from '../harness/listener.ts'
import { until } from '../harness/until.ts'
import type { TestListener } from '../harness/listener.ts'
import { createPki } from '../harness/pki.ts'
import type { Certified, Pki } from '../harness/pki.ts'
import { connectRaw, sendRaw } from '../harness/raw-client.ts'
import type { RawClient } from '../harness/raw-client.ts'

const GET = 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n'
const SPIFFE_ID = 'spiffe://zyx.example/agent/reviewer'
/** Nothing ends by itself within a test. */
const PATIENT = { headersTimeoutMs: 60_000, requestTimeoutMs: 60_000, keepAliveTimeoutMs: 60_000 }
const versions = ['TLSv1.2', 'TLSv1.3'] as const

function tlsConfig(pki: Pki, clientCertificate: TlsConfig['clientCertificate'], crlFile?: string): TlsConfig {
  const { certFile, keyFile } = pki.server()
  return {
    certificateFile: certFile,
    keyFile,
    clientCaFile: clientCertificate === 'none' ? undefined : pki.caFile,
    crlFile,
    clientCertificate,
  }
}

function startTls(pki: Pki, mode: TlsConfig['clientCertificate'], crlFile?: string): Promise<TestListener> {
  const config = { tls: tlsConfig(pki, mode, crlFile), ...PATIENT }
  return startListener({ config })
}

function clientOptions(pki: Pki, version: (typeof versions)[number], client?: Certified): ConnectionOptions {
  return {
    ca: pki.ca,
    servername: 'localhost',
    minVersion: version,
    maxVersion: version,
    ...(client === undefined ? {} : { cert: client.cert, key: client.key }),
  }
}

/** Makes one call and returns a session that a later connection can offer to resume. */
async function callAndKeepSession(port: number, options: ConnectionOptions): Promise<Buffer> {
  await using client = await connectRaw(port, options)
  const socket = client.socket as TLSSocket
  let session: Buffer | undefined = options.maxVersion === 'TLSv1.2' ? socket.getSession() : undefined
  socket.on('session', (ticket: Buffer) => {
    session = ticket
  })
  client.send(GET)
  expect((await client.response()).status).toBe(200)
  await until(() => session !== undefined)
  return session as Buffer
}

describe.each(versions)('Over %s', (version) => {
  it('a verified certificate is that of the call, with its URI names', async () => {
    await using pki = createPki()
    await using gateway = await startTls(pki, 'request')
    const agent = pki.client({ uris: [SPIFFE_ID] })
    await sendRaw(gateway.port, GET, clientOptions(pki, version, agent))
    expect(gateway.received[0]?.peer).toMatchObject({
      address: '127.0.0.1',
      secure: true,
      certificate: { x5t: agent.x5t, uris: [SPIFFE_ID] },
    })
  })

  it('a certificate whose names can be read in two ways has none', async () => {
    await using pki = createPki()
    await using gateway = await startTls(pki, 'require')
    const agent = pki.client({ uris: [`spiffe://zyx.example/a, URI:${SPIFFE_ID}`] })
    await sendRaw(gateway.port, GET, clientOptions(pki, version, agent))
    expect(gateway.received[0]?.peer).toMatchObject({
      secure: true,
      certificate: { x5t: agent.x5t, uris: [] },
    })
  })

  it('no certificate is none, resumed or not', async () => {
    await using pki = createPki()
    await using gateway = await startTls(pki, 'request')
    const options = clientOptions(pki, version)
    const session = await callAndKeepSession(gateway.port, options)
    await using resumed = await connectRaw(gateway.port, { ...options, session })
    expect((resumed.socket as TLSSocket).isSessionReused()).toBe(true)
    resumed.send(GET)
    await resumed.response()
    expect(gateway.received.map(({ peer }) => peer.certificate)).toEqual([undefined, undefined])
  })

  it('a certificate of another authority counts as none where certificates are optional', async () => {
    await using pki = createPki()
    await using other = createPki()
    await using gateway = await startTls(pki, 'request')
    await sendRaw(gateway.port, GET, clientOptions(pki, version, other.client({ uris: [SPIFFE_ID] })))
    expect(gateway.received[0]?.peer.certificate).toBeUndefined()
  })

  it('a certificate of another authority fails the handshake where certificates are required', async () => {
    await using pki = createPki()
    await using other = createPki()
    await using gateway = await startTls(pki, 'require')
    await expect(sendRaw(gateway.port, GET, clientOptions(pki, version, other.client()))).rejects.toThrow(
      /ended|disconnected|ECONNRESET|EPIPE|alert/,
    )
    await expect(sendRaw(gateway.port, GET, clientOptions(pki, version))).rejects.toThrow(
      /ended|disconnected|ECONNRESET|EPIPE|alert|protocol version/,
    )
    expect(gateway.received).toEqual([])
    await until(() => gateway.handshakeErrors.length === 2)
  })

  it('a certificate revoked since is refused after a reload, although its session could be resumed', async () => {
    await using pki = createPki()
    const agent = pki.client({ uris: [SPIFFE_ID] })
    const crlFile = join(pki.directory, 'clients.crl')
    writeFileSync(crlFile, pki.crl([]))
    await using gateway = await startTls(pki, 'require', crlFile)
    const options = clientOptions(pki, version, agent)
    const session = await callAndKeepSession(gateway.port, options)
    await using before = await connectRaw(gateway.port, { ...options, session })
    expect((before.socket as TLSSocket).isSessionReused()).toBe(true)

    await using idle = await connectRaw(gateway.port, { ...options, session })
    idle.send(GET)
    await idle.response()

    writeFileSync(crlFile, pki.crl([agent]))
    gateway.listener.reloadTls()
    await before.closed
    await idle.closed
    await expect(sendRaw(gateway.port, GET, { ...options, session })).rejects.toThrow(
      /ended|disconnected|ECONNRESET|EPIPE|alert|protocol version/,
    )
    expect(gateway.received).toHaveLength(2)
  })
})

describe('A reload of the certificates', () => {
  it('lets a call in flight finish on a connection that then ends', async () => {
    await using pki = createPki()
    let release = (): void => undefined
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    await using gateway = await startListener({
      config: { tls: tlsConfig(pki, 'none') },
      onReceived: async (received, reply) => {
        await released
        reply.begin(200, ['Content-Length', '0'], received).end()
      },
    })
    await using client: RawClient = await connectRaw(gateway.port, clientOptions(pki, 'TLSv1.3'))
    client.send(GET)
    await until(() => gateway.listener.callsInFlight === 1)
    gateway.listener.reloadTls()
    release()
    expect((await client.response()).header('connection')).toBe('close')
    await client.closed
  })

  it('ends a handshake that began before it', async () => {
    await using pki = createPki()
    await using gateway = await startTls(pki, 'none')
    await using shaking = await connectRaw(gateway.port)
    // Accepted after the other, so that the other is known to the gateway by now.
    await sendRaw(gateway.port, GET, clientOptions(pki, 'TLSv1.3'))
    gateway.listener.reloadTls()
    const ended = (): boolean => shaking.socket.readableEnded || shaking.socket.destroyed
    await expect(until(ended, 3000)).resolves.toBeUndefined()
  })

  it('keeps what is in force when the new files are unusable', async () => {
    await using pki = createPki()
    const config = tlsConfig(pki, 'none')
    await using gateway = await startListener({ config: { tls: config } })
    writeFileSync(config.keyFile, 'nonsense')
    expect(() => gateway.listener.reloadTls()).toThrow('cannot be used')
    expect((await sendRaw(gateway.port, GET, clientOptions(pki, 'TLSv1.3'))).status).toBe(200)
  })
})

describe('The TLS listener', () => {
  it('does not open where client certificates have no authority of their own', async () => {
    await using pki = createPki()
    const tls = { ...tlsConfig(pki, 'request'), clientCaFile: undefined }
    await expect(startListener({ config: { tls } })).rejects.toThrow('clientCaFile')
  })

  it('speaks nothing older than TLS 1.2', async () => {
    await using pki = createPki()
    await using gateway = await startTls(pki, 'none')
    const old = {
      ca: pki.ca,
      servername: 'localhost',
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT:@SECLEVEL=0',
    } as const
    await expect(sendRaw(gateway.port, GET, old)).rejects.toThrow(
      /ended|disconnected|ECONNRESET|EPIPE|alert|protocol version/,
    )
  })

  it('counts plain HTTP as a failed handshake', async () => {
    await using pki = createPki()
    await using gateway = await startTls(pki, 'none')
    await using client = await connectRaw(gateway.port)
    client.send(GET)
    await client.closed
    expect(gateway.handshakeErrors).toHaveLength(1)
  })
})
