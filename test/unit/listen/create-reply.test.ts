import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { CallId, Progress } from '../../../gateway/exchange.ts'
import type { Outcome } from '../../../gateway/outcome.ts'
import { createReply } from '../../../gateway/listen/create-reply.ts'
import type { ReplyOptions } from '../../../gateway/listen/create-reply.ts'
import type { Reply } from '../../../gateway/listen/reply.ts'
import { connectRaw, sendRaw } from '../../harness/raw-client.ts'
import type { RawResponse } from '../../harness/raw-client.ts'
import { syntheticCall } from '../../harness/synthetic-call.ts'

const GET = 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n'
const call: Progress = syntheticCall()
const limits = [{ name: 'burst', quota: 60, windowMs: 60_000, remaining: 0, resetMs: 1000 }]

/** Answers one request by what `answer` does with its reply, and returns what arrived. */
async function replyOnce(
  answer: (reply: Reply, response: ServerResponse) => Outcome | void,
  { request = GET, options = {} }: { request?: string; options?: Partial<ReplyOptions> } = {},
): Promise<{ response: RawResponse; outcome: Outcome | undefined }> {
  let outcome: Outcome | undefined
  await using server = await startServer((incoming, response) => {
    const reply = createReply({ ...defaults, ...options, request: incoming, response })
    outcome = answer(reply, response) ?? undefined
  })
  return { response: await sendRaw(server.port, request), outcome }
}

const defaults = {
  dialect: 'problem',
  callId: '01991234-5678-7000-8000-000000000000' as CallId,
  closing: () => false,
  rateLimitHeaders: () => ['RateLimit', '"burst";r=0;t=1'],
  nowMs: () => Date.now(),
} as const

async function startServer(
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer(onRequest).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

describe('A refusal', () => {
  it('carries the call id, the decision, the wait and the headers of its specification', async () => {
    const { response, outcome } = await replyOnce((reply) =>
      reply.refuse({ code: 'limit.rate', retryAfterMs: 100, headers: ['WWW-Authenticate', 'DPoP'] }, call),
    )
    expect(response.status).toBe(429)
    expect(response.header('toolgate-call-id')).toBe(defaults.callId)
    expect(response.header('toolgate-decision')).toBe('deny')
    expect(response.header('retry-after')).toBe('1')
    expect(response.header('www-authenticate')).toBe('DPoP')
    expect(response.header('cache-control')).toBe('no-store')
    expect(response.header('content-type')).toBe('application/problem+json')
    expect(outcome).toMatchObject({
      code: 'limit.rate',
      status: 429,
      replyBytes: response.body.length,
      replyDigest: '',
    })
  })

  it('says hold where a person is asked', async () => {
    const { response } = await replyOnce((reply) => reply.refuse({ code: 'approval.required' }, call))
    expect(response.header('toolgate-decision')).toBe('hold')
  })

  it('has a header section and no body for HEAD', async () => {
    const { response } = await replyOnce((reply) => reply.refuse({ code: 'policy.denied' }, call), {
      request: GET.replace('GET', 'HEAD'),
    })
    expect(response.status).toBe(403)
    expect(Number(response.header('content-length'))).toBeGreaterThan(0)
  })

  it('tells limits and the next nonce, but only one of each', async () => {
    const caller = { ...syntheticCall().caller, nextNonce: 'n-2' }
    const headers = ['DPoP-Nonce', 'n-1', 'RateLimit', '"day";r=0;t=9']
    const { response } = await replyOnce((reply) =>
      reply.refuse({ code: 'identity.nonce_required', headers }, { ...call, caller, limits }),
    )
    expect(response.header('dpop-nonce')).toBe('n-1')
    expect(response.header('ratelimit')).toBe('"day";r=0;t=9')
  })

  it('never throws, whatever its headers hold', async () => {
    await using server = await startServer((request, response) => {
      const reply = createReply({ ...defaults, request, response })
      const outcome = reply.refuse({ code: 'policy.denied', headers: ['X', 'a\r\nb'] }, call)
      expect(outcome).toMatchObject({ code: 'policy.denied', status: 0 })
    })
    await using client = await connectRaw(server.port)
    client.send(GET)
    await client.closed
  })

  it('cuts the connection where the answer has already begun', async () => {
    let outcome: Outcome | undefined
    await using server = await startServer((request, response) => {
      const reply = createReply({ ...defaults, request, response })
      reply.begin(200, ['Content-Length', '10'], call).write('12345')
      outcome = reply.refuse({ code: 'upstream.timeout' }, call)
    })
    await using client = await connectRaw(server.port)
    client.send(GET)
    await client.closed
    expect(outcome).toMatchObject({ code: 'upstream.timeout', status: 200 })
  })

  it('leaves an answer alone that is already whole', async () => {
    const { response, outcome } = await replyOnce((reply) => {
      reply.begin(200, ['Content-Length', '2'], call).end('ok')
      return reply.refuse({ code: 'gateway.fault' }, call)
    })
    expect([response.status, response.body.toString()]).toEqual([200, 'ok'])
    expect(outcome).toMatchObject({ code: 'gateway.fault', status: 200 })
  })
})

describe("An upstream's answer", () => {
  it("keeps the headers it is given, and adds the gateway's own", async () => {
    const caller = { ...syntheticCall().caller, nextNonce: 'n-2' }
    const given = ['ETag', 'W/"a"', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Content-Length', '0']
    const { response } = await replyOnce(
      (reply) => void reply.begin(200, given, { ...call, caller, limits }).end(),
    )
    expect(response.headers.slice(0, given.length)).toEqual(given)
    expect(given).toHaveLength(8)
    expect(response.header('toolgate-call-id')).toBe(defaults.callId)
    expect(response.header('toolgate-decision')).toBe('allow')
    expect(response.header('ratelimit')).toBe('"burst";r=0;t=1')
    expect(response.header('dpop-nonce')).toBe('n-2')
    expect(response.header('connection')).toBe('keep-alive')
  })

  it('says that the connection ends where it does', async () => {
    const { response } = await replyOnce((reply) => void reply.begin(204, [], call).end(), {
      options: { closing: () => true },
    })
    expect([response.status, response.header('connection')]).toEqual([204, 'close'])
  })
})
