import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startBundleServer } from '../../harness/bundle-server.ts'
import { allows } from '../../harness/opa.ts'
import { createPki } from '../../harness/pki.ts'
import {
  allowsNobody,
  closed,
  inForce,
  open,
  refused,
  type ServiceScene,
  setServiceScene,
} from './service-scene.ts'

const NEVER = { pollMinMs: 3_600_000, pollMaxMs: 3_600_000 }

let scene: ServiceScene
let events: ServiceScene['events']
let policyFrom: ServiceScene['policyFrom']
beforeEach(async () => {
  scene = await setServiceScene()
  ;({ events, policyFrom } = scene)
})
afterEach(() => scene[Symbol.asyncDispose]())

describe('a bundle service', () => {
  test('is asked for a snapshot of the resource, and polled with the version in force', async () => {
    await using server = await startBundleServer(open)
    await using policy = await policyFrom(server, {}, { serviceToken: () => 'hunter2' })
    await server.received(3)
    const [first, second] = server.requests
    expect(first).toMatchObject({
      url: '/bundles/toolgate',
      headers: { prefer: 'modes=snapshot', authorization: 'Bearer hunter2', 'accept-encoding': 'identity' },
    })
    expect(first?.headers['if-none-match']).toBeUndefined()
    expect(second?.headers['if-none-match']).toBe('"v1"')
    expect(events.map(({ type }) => type)).toEqual(['activated'])
    expect(policy.status()).toMatchObject({ kept: false, source: { kind: 'service' } })
  })

  test('has its next bundle in force within a poll', async () => {
    await using server = await startBundleServer(open)
    await using policy = await policyFrom(server)
    expect(allows(policy)).toBe(true)
    server.publish(closed)
    await inForce(policy, 'closed')
    expect(allows(policy)).toBe(false)
  })

  test('is polled at random moments within the bounds', async () => {
    await using server = await startBundleServer(open)
    await using _policy = await policyFrom(server, { pollMinMs: 40, pollMaxMs: 90 })
    await server.received(8)
    const gapsMs = server.requests
      .slice(1)
      .map(({ atMs }, index) => atMs - (server.requests[index]?.atMs ?? 0))
    expect(Math.min(...gapsMs)).toBeGreaterThanOrEqual(38)
    expect(new Set(gapsMs.map((gap) => Math.round(gap / 4))).size).toBeGreaterThan(1)
  })

  test('is waited for only where it says that it can wait', async () => {
    await using plain = await startBundleServer(open)
    await using _polled = await policyFrom(plain, { longPollMs: 30_000 })
    await plain.received(3)
    expect(plain.requests.every(({ headers }) => headers['prefer'] === 'modes=snapshot')).toBe(true)

    await using waiting = await startBundleServer(open, { longPoll: true })
    await using policy = await policyFrom(waiting, { longPollMs: 30_000, ...NEVER })
    await waiting.received(2)
    expect(waiting.requests[1]?.headers).toMatchObject({
      prefer: 'modes=snapshot;wait=30',
      'if-none-match': '"v1"',
    })
    waiting.publish(closed)
    await inForce(policy, 'closed')
  })

  test('that answers a long poll at once is not asked without pause', async () => {
    await using server = await startBundleServer(open, { longPoll: true })
    await using _policy = await policyFrom(server, { longPollMs: 30_000, ...NEVER })
    server.answerWith((_, response) => void response.writeHead(304).end())
    await server.received(3)
    const [, second, third] = server.requests
    expect((third?.atMs ?? 0) - (second?.atMs ?? 0)).toBeGreaterThan(900)
  })

  test('that would wait is polled while it has nothing but a bundle that was refused', async () => {
    await using server = await startBundleServer(open, { longPoll: true })
    await using policy = await policyFrom(server, { longPollMs: 30_000, pollMinMs: 300, pollMaxMs: 300 })
    await server.received(2)
    server.publish(allowsNobody)
    await refused(policy, 'self_test')
    await server.received(4)
    const [third, fourth] = server.requests.slice(2)
    expect((fourth?.atMs ?? 0) - (third?.atMs ?? 0)).toBeGreaterThan(290)
    server.publish(closed)
    await inForce(policy, 'closed')
  })

  test('lets go of a request that it holds when the policy is closed', async () => {
    await using server = await startBundleServer(open, { longPoll: true })
    const policy = await policyFrom(server, { longPollMs: 600_000, ...NEVER })
    await server.received(2)
    await policy[Symbol.asyncDispose]()
    expect(events.map(({ type }) => type)).toEqual(['activated'])
  })

  test('that knows no versions is no news as long as the bundle is the same', async () => {
    await using server = await startBundleServer(open)
    server.answerWith((_, response) => void response.end(open))
    await using policy = await policyFrom(server)
    await server.received(4)
    expect(events.map(({ type }) => type)).toEqual(['activated'])
    expect(server.requests.every(({ headers }) => headers['if-none-match'] === undefined)).toBe(true)
    server.answerWith((_, response) => void response.end(closed))
    await inForce(policy, 'closed')
  })

  test('that was away is confirmed to have nothing newer when it is back', async () => {
    await using server = await startBundleServer(open)
    await using policy = await policyFrom(server, NEVER)
    server.answerWith((_, response) => void response.writeHead(503).end())
    await expect(policy.reload()).resolves.toBe('rejected')
    expect(policy.status().rejected).toMatchObject({ problem: 'service' })
    expect(allows(policy)).toBe(true)
    server.answerWith(undefined)
    await expect(policy.reload()).resolves.toBe('unchanged')
    expect(policy.status().rejected).toBeUndefined()
    expect(events.map(({ type }) => type)).toEqual(['activated', 'rejected', 'confirmed'])
  })

  test('that is away is asked again after a short wait that doubles, not after a whole poll', async () => {
    await using server = await startBundleServer(open)
    await (await policyFrom(server))[Symbol.asyncDispose]()
    const before = server.requests.length
    server.answerWith((_, response) => void response.writeHead(503).end())
    await using policy = await policyFrom(server, NEVER)
    await server.received(before + 4)
    const times = server.requests.slice(before).map(({ atMs }) => atMs)
    const [first = 0, , third = 0] = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0))
    expect(first).toBeGreaterThanOrEqual(48)
    expect(third).toBeGreaterThanOrEqual(195)
    server.answerWith(undefined)
    server.publish(closed)
    await inForce(policy, 'closed')
  })

  test('that flaps between two bundles is followed, and every decision is that of one of them', async () => {
    await using server = await startBundleServer(open)
    await using policy = await policyFrom(server)
    for (const [bundle, revision] of [
      [closed, 'closed'],
      [open, 'open'],
      [closed, 'closed'],
    ] as const) {
      server.publish(bundle)
      await inForce(policy, revision)
      expect(allows(policy)).toBe(revision === 'open')
    }
  })
})

describe('over TLS, the service', () => {
  test('is believed by its authority only, and shown our certificate', async () => {
    await using pki = createPki()
    await using stranger = createPki()
    await using server = await startBundleServer(open, { pki })
    const { certFile, keyFile } = pki.client()
    const ours = { clientCertificateFile: certFile, clientKeyFile: keyFile }
    await using policy = await policyFrom(server, { caFile: pki.caFile, ...ours })
    expect(allows(policy)).toBe(true)
    const elsewhere = { resource: 'bundles/other' }
    await expect(policyFrom(server, { ...elsewhere, ...ours })).rejects.toMatchObject({ problem: 'service' })
    await expect(
      policyFrom(server, { ...elsewhere, ...ours, caFile: stranger.caFile }),
    ).rejects.toMatchObject({ problem: 'service' })
    await expect(policyFrom(server, { ...elsewhere, caFile: pki.caFile })).rejects.toMatchObject({
      problem: 'service',
    })
  })
})
