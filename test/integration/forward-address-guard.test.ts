import type { LookupAddress } from 'node:dns'
import { expect, it } from 'vitest'
import type { Lookup } from '../../gateway/egress/guarded-connector.ts'
import { startUpstream } from '../harness/upstream.ts'
import { startForwardGateway } from './forward-gateway.ts'

/** Resolves every name to these addresses, one answer after the other; the last one stays. */
function resolving(...answers: string[][]): Lookup {
  let asked = 0
  return (_hostname, _options, callback) => {
    const answer = answers[Math.min(asked, answers.length - 1)] ?? []
    asked += 1
    const addresses: LookupAddress[] = answer.map((address) => ({
      address,
      family: address.includes(':') ? 6 : 4,
    }))
    process.nextTick(callback, null, addresses)
  }
}

it.each([
  ['loopback', (port: number) => `http://127.0.0.1:${port}`],
  ['loopback in hexadecimal', (port: number) => `http://0x7f000001:${port}`],
  ['loopback in IPv6', (port: number) => `http://[::1]:${port}`],
  ['loopback mapped into IPv6', (port: number) => `http://[::ffff:127.0.0.1]:${port}`],
  ['the unspecified address', (port: number) => `http://0.0.0.0:${port}`],
])('does not connect to %s unless configured', async (_what, originOf) => {
  await using upstream = await startUpstream((_request, response) => void response.end())
  await using gateway = await startForwardGateway({
    origin: originOf(upstream.port),
    limits: { allowAddresses: [] },
  })
  const reply = await fetch(`${gateway.origin}/x`, { method: 'POST' })
  expect(reply.status).toBe(502)
  expect(await reply.json()).toMatchObject({ code: 'upstream.address_denied' })
  expect(upstream.accepted()).toBe(0)
})

it.each([['10.0.0.7'], ['169.254.169.254'], ['fd00:ec2::254'], ['64:ff9b::a00:7']])(
  'does not connect to a name that resolves to %s',
  async (address) => {
    await using gateway = await startForwardGateway({
      origin: 'https://api.vendor.test',
      limits: { allowAddresses: [] },
      lookup: resolving([address]),
    })
    const reply = await fetch(`${gateway.origin}/x`)
    expect(await reply.json()).toMatchObject({ code: 'upstream.address_denied' })
  },
)

it('dials only the addresses it has judged, whatever the name says later', async () => {
  await using upstream = await startUpstream((_request, response) => {
    response.setHeader('connection', 'close')
    response.end('{}')
  })
  await using gateway = await startForwardGateway({
    origin: `http://api.vendor.test:${upstream.port}`,
    limits: { allowAddresses: ['127.0.0.1'] },
    lookup: resolving(['10.1.2.3', '127.0.0.1'], ['10.1.2.3']),
  })
  expect((await fetch(`${gateway.origin}/x`)).status).toBe(200)
  const reply = await fetch(`${gateway.origin}/x`, { method: 'POST' })
  expect(await reply.json()).toMatchObject({ code: 'upstream.address_denied' })
  expect(upstream.accepted()).toBe(1)
})
