import { expect, it } from 'vitest'
import type { Caller, Peer } from '../../../gateway/caller.ts'
import { Workloads } from '../../../gateway/detections/workloads.ts'
import type { Progress } from '../../../gateway/exchange.ts'
import { createEmbeddedSightingStore } from '../../../gateway/store/embedded-sighting-store.ts'
import { syntheticCall } from '../../harness/synthetic-call.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

const CERTIFICATE = { x5t: 'x5t', uris: ['spiffe://zyx/1'], notAfterMs: 0 }
const PEER: Peer = { address: '192.0.2.1', secure: true, certificate: CERTIFICATE }
const { caller: CALLER } = syntheticCall()

function callOf(caller: Partial<Caller> = {}, peer: Partial<Peer> = {}): Progress {
  return { ...syntheticCall(), caller: { ...CALLER, ...caller }, peer: { ...PEER, ...peer } }
}

function startWorkloads() {
  const clock = virtualClock()
  return { clock, workloads: new Workloads(createEmbeddedSightingStore({ clock }), () => clock.nowMs()) }
}

it('a call is in place once one like it was found so', async () => {
  const { workloads } = startWorkloads()
  expect(workloads.isInPlace(callOf())).toBe(false)
  expect(await workloads.movedIn(callOf())).toBe('')
  expect(workloads.isInPlace(callOf())).toBe(true)
})

it.each<[string, Partial<Caller>, Partial<Peer>]>([
  ['another token', { tokenId: 'token-2' }, {}],
  ['another tenant', { tenant: 'abc' }, {}],
  ['another agent', { agent: { ...CALLER.agent, id: 'other' } }, {}],
  ['another issuer', { agent: { ...CALLER.agent, issuer: 'https://other.example' } }, {}],
  ['another key', { agent: { ...CALLER.agent, key: 'other' } }, {}],
  ['another binding', { agent: { ...CALLER.agent, binding: 'mtls' } }, {}],
  ['another principal', { principal: { ...CALLER.principal } }, {}],
  ['another address', {}, { address: '192.0.2.2' }],
  ['another certificate', {}, { certificate: { ...CERTIFICATE, x5t: 'other' } }],
  ['another name in the certificate', {}, { certificate: { ...CERTIFICATE, uris: ['spiffe://zyx/2'] } }],
  ['no certificate', {}, { certificate: undefined }],
])('a call with %s is looked at anew', async (_, caller, peer) => {
  const { workloads } = startWorkloads()
  await workloads.movedIn(callOf())
  expect(workloads.isInPlace(callOf(caller, peer))).toBe(false)
})

it('a call is looked at anew once its token has ended', async () => {
  const { clock, workloads } = startWorkloads()
  const token = { tokenExpiresAtMs: clock.nowMs() + 60_000 }
  await workloads.movedIn(callOf(token))
  clock.advance(59_999)
  expect(workloads.isInPlace(callOf(token))).toBe(true)
  clock.advance(1)
  expect(workloads.isInPlace(callOf(token))).toBe(false)
})

it('a token that came from elsewhere is never in place', async () => {
  const { workloads } = startWorkloads()
  const elsewhere = callOf({}, { certificate: undefined })
  await workloads.movedIn(callOf())
  expect(await workloads.movedIn(elsewhere)).not.toBe('')
  expect(workloads.isInPlace(elsewhere)).toBe(false)
  expect(workloads.isInPlace(callOf())).toBe(true)
})
