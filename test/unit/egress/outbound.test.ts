import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { OutboundConfig } from '../../../gateway/config/notify-config.ts'
import { createOutbound } from '../../../gateway/egress/outbound.ts'
import { UpstreamError } from '../../../gateway/egress/upstream-error.ts'

async function reaching(listener: RequestListener, more: Partial<OutboundConfig> = {}) {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const config = {
    url: `http://127.0.0.1:${port}/base`,
    timeoutMs: 5_000,
    allowAddresses: ['127.0.0.0/8'],
    caFile: undefined,
    ...more,
  }
  const outbound = createOutbound({ config, path: 'notify.targets.a.webhook' })
  return {
    post: (resource = 'events') =>
      outbound.post({
        resource,
        headers: { authorization: 'Bearer opensesame' },
        body: Buffer.from('{}'),
        signal: AbortSignal.timeout(10_000),
      }),
    async [Symbol.asyncDispose]() {
      await outbound[Symbol.asyncDispose]()
      server.closeAllConnections()
      server.close()
    },
  }
}

const failureOf = (asked: Promise<unknown>): Promise<unknown> => asked.catch((cause: unknown) => cause)

describe('what the gateway itself posts', () => {
  it('goes below the configured path, and its answer says when to come back', async () => {
    const paths: (string | undefined)[] = []
    await using place = await reaching((request, response) => {
      paths.push(request.url)
      response.writeHead(429, { 'retry-after': '7' }).end('later')
    })
    expect(await place.post()).toEqual({ status: 429, retryAfterMs: 7_000, body: Buffer.from('later') })
    await place.post('')
    expect(paths).toEqual(['/base/events', '/base'])
  })

  it('follows no redirect', async () => {
    let requests = 0
    await using place = await reaching((_request, response) => {
      requests += 1
      response.writeHead(307, { location: '/elsewhere' }).end()
    })
    expect(await place.post()).toMatchObject({ status: 307 })
    expect(requests).toBe(1)
  })

  it('takes no more of an answer than anybody needs', async () => {
    await using place = await reaching((_request, response) => {
      response.writeHead(200)
      const write = (): void => {
        while (response.write(Buffer.alloc(65_536)));
        response.once('drain', write)
      }
      write()
    })
    expect((await place.post()).body).toHaveLength(262_144)
  })

  it.each<[string, RequestListener, Partial<OutboundConfig>, string]>([
    ['is given up when no answer comes', () => undefined, { timeoutMs: 100 }, 'TOOLGATE_ANSWER_TIMEOUT'],
    [
      'is given up when an answer does not end',
      (_request, response) => void response.writeHead(200).write('a'),
      { timeoutMs: 100 },
      'TOOLGATE_ANSWER_TIMEOUT',
    ],
    [
      'goes to no address that is not named',
      () => undefined,
      { allowAddresses: [] },
      'TOOLGATE_ADDRESS_DENIED',
    ],
    ['says that the other side hung up', ({ socket }) => void socket.destroy(), {}, 'UND_ERR_SOCKET'],
  ])('%s, with a code and nothing of the request', async (_, listener, more, code) => {
    await using place = await reaching(listener, more)
    const failure = await failureOf(place.post())
    expect(failure).toBeInstanceOf(UpstreamError)
    expect(failure).toMatchObject({ code, message: code })
    expect(failure).not.toHaveProperty('cause')
  })
})
