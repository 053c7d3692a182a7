import { once } from 'node:events'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { BundleServiceConfig } from '../../../gateway/config/policy-config.ts'
import type { Policy, PolicyEvent, PolicyOptions } from '../../../gateway/policy/policy.ts'
import { systemClock } from '../../../gateway/lib/clock.ts'
import { createPolicy } from '../../../gateway/policy/policy.ts'
import { type BundleServer, serviceConfig, startBundleServer } from '../../harness/bundle-server.ts'
import { compileRules, decideNow, FRIEND, FRIEND_RULES } from '../../harness/opa.ts'
import { createPki } from '../../harness/pki.ts'
import { createBundleKey, signedBundle } from '../../harness/signed-bundle.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../../harness/temporary-directory.ts'

const CLOSED_RULES = `
decision := {"allow": false, "risk": 0, "reasons": reasons, "obligations": []}
reasons contains {"code": "hours.closed", "rule": "R043", "detail": ""}
`
const NEVER = { pollMinMs: 3_600_000, pollMaxMs: 3_600_000 }

let open: Buffer
let closed: Buffer
let allowsNobody: Buffer
beforeAll(async () => {
  open = await compileRules(FRIEND_RULES, { revision: 'open' })
  closed = await compileRules(CLOSED_RULES, { revision: 'closed' })
  allowsNobody = await compileRules(
    'decision := {"allow": true, "risk": 0, "reasons": [], "obligations": []}',
  )
})

let folder: TemporaryDirectory
let kept: string
let events: PolicyEvent[]
beforeEach(async () => {
  folder = await temporaryDirectory()
  kept = join(folder.path, 'kept')
  events = []
})
afterEach(() => folder[Symbol.asyncDispose]())

function policyFrom(
  server: Pick<BundleServer, 'url'>,
  more: Partial<BundleServiceConfig> = {},
  options: Partial<PolicyOptions> = {},
): Promise<Policy> {
  return createPolicy({
    bundlePath: '/nowhere',
    service: serviceConfig(server.url, kept, more),
    watch: true,
    memoryLimitPages: 2048,
    clock: systemClock,
    onEvent: (event) => void events.push(event),
    ...options,
  })
}

const inForce = (policy: Policy, revision: string) =>
  vi.waitFor(() => expect(policy.revision).toBe(revision), { timeout: 8000, interval: 10 })
const refused = (policy: Policy, problem: string) =>
  vi.waitFor(() => expect(policy.status().rejected?.problem).toBe(problem), { timeout: 8000, interval: 10 })
const allows = (policy: Policy): boolean => {
  const verdict = decideNow(policy, FRIEND)
  return verdict.ok && verdict.value.allow
}

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

describe('a bundle that the service gives', () => {
  test.each<[string, () => RequestListener, string]>([
    [
      'is cut short',
      () => (_, response) => {
        response.writeHead(200, { 'content-length': String(closed.length) }).write(closed.subarray(0, 500))
        setTimeout(() => response.destroy(), 20)
      },
      'service',
    ],
    [
      'is cut short and called whole',
      () => (_, response) => void response.end(closed.subarray(0, 500)),
      'archive',
    ],
    [
      'is larger than allowed, and says so',
      () => (_, response) => void response.end(Buffer.alloc(300_000)),
      'archive',
    ],
    [
      'is larger than allowed, and never ends',
      () => (_, response) => {
        const more = (): void =>
          void (response.write(Buffer.alloc(65_536)) ? setImmediate(more) : response.once('drain', more))
        response.on('close', () => response.removeAllListeners('drain'))
        more()
      },
      'archive',
    ],
    [
      'trickles',
      () => (_, response) => {
        response.writeHead(200)
        const drip = setInterval(() => response.write('x'), 10)
        response.on('close', () => clearInterval(drip))
      },
      'service',
    ],
    ['never comes', () => () => undefined, 'service'],
    [
      'is a page to log in',
      () => (_, response) => void response.setHeader('content-type', 'text/html').end('<html>'),
      'service',
    ],
    [
      'is an error as JSON',
      () => (_, response) => void response.setHeader('content-type', 'application/problem+json').end('{}'),
      'service',
    ],
    ['is nothing', () => (_, response) => void response.end(), 'archive'],
    ['is there no more', () => (_, response) => void response.writeHead(404).end(), 'service'],
    ['is not for us', () => (_, response) => void response.writeHead(401).end(), 'service'],
    ['is empty by its status', () => (_, response) => void response.writeHead(204).end(), 'service'],
    ['allows a call by nobody', () => (_, response) => void response.end(allowsNobody), 'self_test'],
  ])('is refused and the live one stays when it %s', async (_, answer, problem) => {
    await using server = await startBundleServer(open)
    await using policy = await policyFrom(server, { timeoutMs: 400, maxBytes: 250_000 })
    server.answerWith(answer())
    await refused(policy, problem)
    expect(events.find(({ type }) => type === 'rejected')).toMatchObject({ problem })
    expect(allows(policy)).toBe(true)
    server.answerWith(undefined)
    server.publish(closed)
    await inForce(policy, 'closed')
    expect(policy.status().rejected).toBeUndefined()
  })

  test('is not looked for where a redirect leads, and the token does not follow either', async () => {
    const asked: unknown[] = []
    await using elsewhere = await listening((request, response) => {
      asked.push(request.headers)
      response.end(closed)
    })
    await using server = await startBundleServer(open)
    await using policy = await policyFrom(server, {}, { serviceToken: () => 'hunter2' })
    server.answerWith((_, response) => void response.writeHead(302, { location: elsewhere.url }).end())
    await refused(policy, 'service')
    expect(policy.status().rejected?.message).toContain('redirects are not followed')
    expect(asked).toEqual([])
    expect(policy.revision).toBe('open')
  })

  test('is not believed to be unchanged by a service that was told of no version', async () => {
    await using server = await startBundleServer(open)
    server.answerWith((_, response) => void response.writeHead(304).end())
    await expect(policyFrom(server)).rejects.toMatchObject({ problem: 'service' })
  })

  test('is asked for under the version in force after another one was refused', async () => {
    await using server = await startBundleServer(open)
    await using policy = await policyFrom(server)
    server.publish(allowsNobody)
    await refused(policy, 'self_test')
    const refusedAfter = server.requests.length
    await server.received(refusedAfter + 2)
    expect(server.requests.at(-1)?.headers['if-none-match']).toBe('"v1"')
    expect(allows(policy)).toBe(true)
  })
})

describe('the last good bundle', () => {
  test('is kept for this account alone, whole, and under no other name', async () => {
    await using server = await startBundleServer(open)
    await using policy = await policyFrom(server)
    server.publish(closed)
    await inForce(policy, 'closed')
    await vi.waitFor(async () => {
      const names = await readdir(kept)
      expect(names).toHaveLength(1)
      expect(await readFile(join(kept, names[0] ?? ''))).toEqual(closed)
    })
    const [name = ''] = await readdir(kept)
    expect((await stat(join(kept, name))).mode & 0o777).toBe(0o600)
    expect((await stat(kept)).mode & 0o777).toBe(0o700)
  })

  test('is used at a start while the service is down, and confirmed when it is back', async () => {
    await using server = await startBundleServer(open)
    await (await policyFrom(server))[Symbol.asyncDispose]()
    server.answerWith((_, response) => void response.destroy())
    await using policy = await policyFrom(server)
    expect(allows(policy)).toBe(true)
    expect(policy.status()).toMatchObject({ kept: true, rejected: { problem: 'service' } })
    server.answerWith(undefined)
    await vi.waitFor(() => expect(policy.status()).toMatchObject({ kept: false, rejected: undefined }))
    expect(events.map(({ type }) => type).slice(0, 3)).toEqual(['activated', 'activated', 'rejected'])
    expect(events.at(-1)?.type).toBe('confirmed')
  })

  test('is used at a start while the service gives a bad one', async () => {
    await using server = await startBundleServer(open)
    await (await policyFrom(server))[Symbol.asyncDispose]()
    server.publish(allowsNobody)
    await using policy = await policyFrom(server)
    expect(policy.revision).toBe('open')
    expect(policy.status()).toMatchObject({ kept: true, rejected: { problem: 'self_test' } })
  })

  test('is never replaced by one that was refused', async () => {
    await using server = await startBundleServer(open)
    await using policy = await policyFrom(server)
    server.publish(allowsNobody)
    await refused(policy, 'self_test')
    const [name = ''] = await readdir(kept)
    expect(await readFile(join(kept, name))).toEqual(open)
  })

  test('is of its service alone', async () => {
    await using server = await startBundleServer(open)
    await (await policyFrom(server))[Symbol.asyncDispose]()
    server.answerWith((_, response) => void response.writeHead(503).end())
    await expect(policyFrom(server, { resource: 'bundles/other' })).rejects.toMatchObject({
      problem: 'service',
    })
  })

  test('is verified again', async () => {
    const key = createBundleKey('ES256')
    const keyFile = join(folder.path, 'key.pem')
    await writeFile(keyFile, key.publicPem)
    const verification = { keyFile, algorithm: key.algorithm, scope: '', keyId: undefined }
    await using server = await startBundleServer(await signedBundle({ key }))
    await (await policyFrom(server, {}, { verification }))[Symbol.asyncDispose]()
    server.answerWith((_, response) => void response.writeHead(503).end())
    await (await policyFrom(server, {}, { verification }))[Symbol.asyncDispose]()
    const [name = ''] = await readdir(kept)
    await writeFile(join(kept, name), open)
    await expect(policyFrom(server, {}, { verification })).rejects.toMatchObject({
      problem: 'signature',
      message: expect.stringMatching(/answered 503.*is not signed/) as unknown,
    })
  })

  test('is not kept by a look that is none of a running gateway', async () => {
    await using server = await startBundleServer(open)
    await using _policy = await policyFrom(server, {}, { watch: false })
    await expect(readdir(kept)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('that cannot be kept is in force all the same, and that is said', async () => {
    await writeFile(kept, 'a file where the folder should be')
    await using server = await startBundleServer(open)
    await using policy = await policyFrom(server)
    expect(allows(policy)).toBe(true)
    expect(events.map(({ type }) => type)).toEqual(['activated', 'not_kept'])
  })

  test('does not exist at a first start, which then fails', async () => {
    await using server = await startBundleServer(open)
    server.answerWith((_, response) => void response.writeHead(503).end())
    await expect(policyFrom(server)).rejects.toMatchObject({ problem: 'service' })
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

async function listening(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
