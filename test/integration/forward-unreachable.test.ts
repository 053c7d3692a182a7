import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { createPki } from '../harness/pki.ts'
import { startRawUpstream, startUpstream } from '../harness/upstream.ts'
import { startForwardGateway } from './forward-gateway.ts'

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

it('says upstream.unreachable where nothing listens', async () => {
  await using gateway = await startForwardGateway({ origin: `http://127.0.0.1:${await closedPort()}` })
  const reply = await fetch(`${gateway.origin}/x`, { method: 'POST' })
  expect(reply.status).toBe(502)
  expect(await reply.json()).toMatchObject({ code: 'upstream.unreachable' })
  expect(gateway.refusals[0]?.detail).toBe('waiting: ECONNREFUSED')
})

it('says upstream.unreachable where a name has no address', async () => {
  await using gateway = await startForwardGateway({
    origin: 'https://api.vendor.test',
    lookup: (_hostname, _options, callback) => {
      process.nextTick(callback, Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), [])
    },
  })
  expect(await (await fetch(`${gateway.origin}/x`)).json()).toMatchObject({ code: 'upstream.unreachable' })
})

it('trusts the configured authority for an upstream, and no other', async () => {
  await using pki = createPki()
  await using stranger = createPki()
  await using upstream = await startUpstream((_request, response) => void response.end('{}'), {
    tls: pki.server(),
  })
  await using trusting = await startForwardGateway({
    origin: upstream.origin,
    limits: { caFile: pki.caFile },
  })
  expect((await fetch(`${trusting.origin}/x`)).status).toBe(200)
  for (const caFile of [stranger.caFile, undefined]) {
    await using doubting = await startForwardGateway({ origin: upstream.origin, limits: { caFile } })
    const reply = await fetch(`${doubting.origin}/x`)
    expect(await reply.json()).toMatchObject({ code: 'upstream.unreachable' })
  }
  expect(upstream.requests).toHaveLength(1)
})

it('refuses a certificate for another name', async () => {
  await using pki = createPki()
  const tls = pki.server({ dnsNames: ['other.test'], addresses: [] })
  await using upstream = await startUpstream((_request, response) => void response.end('{}'), { tls })
  await using gateway = await startForwardGateway({ origin: upstream.origin, limits: { caFile: pki.caFile } })
  expect(await (await fetch(`${gateway.origin}/x`)).json()).toMatchObject({ code: 'upstream.unreachable' })
  expect(gateway.refusals[0]?.detail).toBe('waiting: ERR_TLS_CERT_ALTNAME_INVALID')
})

it('gives up on a handshake that does not come to an end', async () => {
  await using upstream = await startRawUpstream(() => undefined)
  await using gateway = await startForwardGateway({
    origin: upstream.origin.replace('http:', 'https:'),
    limits: { connectTimeoutMs: 100 },
  })
  const reply = await fetch(`${gateway.origin}/x`, { method: 'POST' })
  // Nothing was sent, so the caller may ask again.
  expect(await reply.json()).toMatchObject({ code: 'upstream.unreachable' })
})

it('does not let a call wait for a connection longer than for connecting', async () => {
  await using upstream = await startUpstream(() => undefined)
  await using gateway = await startForwardGateway({
    origin: upstream.origin,
    limits: { connections: 1, connectTimeoutMs: 100 },
  })
  const abort = new AbortController()
  const first = fetch(`${gateway.origin}/slow`, { signal: abort.signal }).catch(() => undefined)
  await upstream.nextRequest()
  const reply = await fetch(`${gateway.origin}/waiting`)
  expect(reply.status).toBe(503)
  expect(reply.headers.get('retry-after')).toBe('1')
  expect(await reply.json()).toMatchObject({ code: 'gateway.overloaded' })
  expect(gateway.egress.pools()).toMatchObject([{ connector: 'vendor', origin: upstream.origin, running: 1 }])
  abort.abort()
  await first
})
