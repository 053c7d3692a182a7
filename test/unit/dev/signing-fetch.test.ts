import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createHash } from 'node:crypto'
import { EmbeddedJWK, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { createDpopKey } from '../../../gateway/dev/proof.ts'
import { createSigningFetch, installFetch } from '../../../gateway/dev/signing-fetch.ts'
import type { SigningFetchOptions } from '../../../gateway/dev/signing-fetch.ts'

interface Seen {
  readonly target: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

interface Recorder extends AsyncDisposable {
  readonly origin: string
  readonly seen: Seen[]
}

async function startRecorder(reply: (seen: Seen, response: ServerResponse) => void): Promise<Recorder> {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const one = {
        target: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      }
      seen.push(one)
      reply(one, response)
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => void server.close(() => resolve()))
    },
  }
}

const ok = (_: Seen, response: ServerResponse): void => void response.end('{}')

async function signing(gateway: string, more: Partial<SigningFetchOptions> = {}): Promise<typeof fetch> {
  return createSigningFetch({
    gateway,
    key: await createDpopKey(),
    accessToken: () => Promise.resolve('token-1'),
    ...more,
  })
}

describe('the signing fetch', () => {
  it.each([
    ['https://api.github.com/repos/zyx/platform-infra?x=1', '/github/repos/zyx/platform-infra?x=1'],
    ['https://uploads.github.com/repos/a/b/releases/1/assets', '/github/repos/a/b/releases/1/assets'],
    ['https://slack.com/api/chat.postMessage', '/slack/api/chat.postMessage'],
    ['https://zyx-bank.atlassian.net/rest/api/3/myself', '/jira/rest/api/3/myself'],
    ['https://zyx-bank.atlassian.net/wiki/api/v2/spaces', '/confluence/wiki/api/v2/spaces'],
  ])('sends %s through the gateway', async (url, target) => {
    await using gateway = await startRecorder(ok)
    await (
      await signing(gateway.origin)
    )(url)
    expect(gateway.seen.map((each) => each.target)).toEqual([target])
  })

  it('proves each call afresh, for its method, address and token', async () => {
    await using gateway = await startRecorder(ok)
    const send = await signing(gateway.origin)
    await send(`${gateway.origin}/github/zen?a=1#b`, { headers: { Authorization: 'Bearer of-the-sdk' } })
    await send(`${gateway.origin}/github/zen`, { method: 'POST', body: 'x' })
    const proofs = await Promise.all(
      gateway.seen.map(
        async ({ headers }) =>
          (await jwtVerify(String(headers['dpop']), EmbeddedJWK, { typ: 'dpop+jwt' })).payload,
      ),
    )
    const ath = createHash('sha256').update('token-1').digest('base64url')
    const htu = `${gateway.origin}/github/zen`
    expect(proofs).toMatchObject([
      { htm: 'GET', htu, ath },
      { htm: 'POST', htu, ath },
    ])
    expect(new Set(proofs.map(({ jti }) => jti)).size).toBe(2)
    expect(gateway.seen[0]?.headers.authorization).toBe('DPoP token-1')
  })

  it('answers a demand for a nonce once and keeps the nonce for the next call', async () => {
    await using gateway = await startRecorder((seen, response) => {
      const proof: unknown = JSON.parse(
        Buffer.from(String(seen.headers['dpop']).split('.')[1] ?? '', 'base64url').toString(),
      )
      const has = typeof proof === 'object' && proof !== null && 'nonce' in proof && proof.nonce === 'n-1'
      response.setHeader('DPoP-Nonce', 'n-1')
      if (!has) response.writeHead(401, { 'WWW-Authenticate': 'DPoP error="use_dpop_nonce"' })
      response.end(seen.body)
    })
    const send = await signing(gateway.origin)
    const reply = await send(`${gateway.origin}/github/x`, { method: 'POST', body: 'kept' })
    expect([reply.status, await reply.text()]).toEqual([200, 'kept'])
    await send(`${gateway.origin}/github/x`)
    expect(gateway.seen).toHaveLength(3)
  })

  it('does not ask a third time', async () => {
    await using gateway = await startRecorder((_, response) => {
      response.writeHead(401, { 'DPoP-Nonce': 'n', 'WWW-Authenticate': 'DPoP error="use_dpop_nonce"' }).end()
    })
    expect((await (await signing(gateway.origin))(`${gateway.origin}/github/x`)).status).toBe(401)
    expect(gateway.seen).toHaveLength(2)
  })

  it('gives another host neither token nor proof nor declared facts, also after a redirect', async () => {
    await using elsewhere = await startRecorder(ok)
    await using gateway = await startRecorder((_, response) => {
      response.writeHead(302, { Location: `${elsewhere.origin}/archive` }).end()
    })
    const send = await signing(gateway.origin, { headers: { 'Toolgate-Task': 't' } })
    await send(`${gateway.origin}/github/tarball`)
    await send(`${elsewhere.origin}/direct`)
    expect(gateway.seen[0]?.headers['toolgate-task']).toBe('t')
    for (const { headers } of elsewhere.seen) {
      expect([headers.authorization, headers['dpop'], headers['toolgate-task']]).toEqual([
        undefined,
        undefined,
        undefined,
      ])
    }
    expect(elsewhere.seen.map((each) => each.target)).toEqual(['/archive', '/direct'])
  })

  it('signs again for a redirect within the gateway, and follows none after a POST', async () => {
    await using gateway = await startRecorder((seen, response) => {
      if (seen.target === '/github/a') response.writeHead(301, { Location: '/github/b' })
      response.end()
    })
    const send = await signing(gateway.origin)
    expect((await send(`${gateway.origin}/github/a`)).status).toBe(200)
    const [first, second] = gateway.seen.map(({ headers }) => headers['dpop'])
    expect(first).not.toBe(second)
    await expect(send(`${gateway.origin}/github/a`, { method: 'POST', body: 'x' })).rejects.toThrow(
      'unexpected redirect',
    )
    await expect(send(`${gateway.origin}/github/a`, { redirect: 'error' })).rejects.toThrow(
      'unexpected redirect',
    )
    expect((await send(`${gateway.origin}/github/a`, { redirect: 'manual' })).status).toBe(301)
  })

  it('streams a body that can only be read once', async () => {
    await using gateway = await startRecorder(ok)
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('streamed'))
        controller.close()
      },
    })
    await (
      await signing(gateway.origin)
    )(`${gateway.origin}/github/x`, { method: 'POST', body, duplex: 'half' })
    expect(gateway.seen[0]?.body).toBe('streamed')
  })

  it('hands on the demand for a nonce where the body cannot be sent again', async () => {
    await using gateway = await startRecorder((_, response) => {
      response.writeHead(401, { 'DPoP-Nonce': 'n', 'WWW-Authenticate': 'DPoP error="use_dpop_nonce"' }).end()
    })
    const body = new Blob(['once']).stream()
    const send = await signing(gateway.origin)
    const reply = await send(`${gateway.origin}/github/x`, { method: 'POST', body, duplex: 'half' })
    expect([reply.status, gateway.seen.length]).toEqual([401, 1])
  })

  it('keeps the boundary of a form', async () => {
    await using gateway = await startRecorder(ok)
    const form = new FormData()
    form.append('file', new Blob(['x']), 'x.txt')
    await (
      await signing(gateway.origin)
    )(`${gateway.origin}/jira/x`, { method: 'POST', body: form })
    const { headers, body } = gateway.seen[0] ?? { headers: {}, body: '' }
    expect(body).toContain(/boundary=(.+)$/.exec(headers['content-type'] ?? '')?.[1] ?? 'no boundary')
  })

  it('tells of each reply, and serves SDKs that take the fetch of the process', async () => {
    await using gateway = await startRecorder(ok)
    const told: string[] = []
    const send = await signing(gateway.origin, {
      onReply: ({ method, url }) => told.push(`${method} ${url.pathname}`),
    })
    const before = globalThis.fetch
    {
      using _installed = installFetch(send)
      await fetch('https://slack.com/api/auth.test')
    }
    expect(told).toEqual(['GET /slack/api/auth.test'])
    expect(globalThis.fetch).toBe(before)
  })
})
