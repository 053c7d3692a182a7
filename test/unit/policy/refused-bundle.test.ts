import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startBundleServer } from '../../harness/bundle-server.ts'
import { allows } from '../../harness/opa.ts'
import {
  allowsNobody,
  closed,
  inForce,
  open,
  refused,
  type ServiceScene,
  setServiceScene,
} from './service-scene.ts'

let scene: ServiceScene
let events: ServiceScene['events']
let policyFrom: ServiceScene['policyFrom']
beforeEach(async () => {
  scene = await setServiceScene()
  ;({ events, policyFrom } = scene)
})
afterEach(() => scene[Symbol.asyncDispose]())

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
