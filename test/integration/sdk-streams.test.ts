import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Octokit } from '@octokit/rest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDpopKey } from '../../gateway/dev/proof.ts'
import { createSigningFetch } from '../../gateway/dev/signing-fetch.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import { ALLOW_EVERYTHING } from '../harness/permissive-rules.ts'
import { startUpstream, type Upstream } from '../harness/upstream.ts'

let upstream: Upstream
let toolgate: TestGateway
let signing: typeof fetch
const exchanges: { request: IncomingMessage; response: ServerResponse }[] = []
beforeAll(async () => {
  upstream = await startUpstream((request, response) => void exchanges.push({ request, response }), {
    early: true,
  })
  toolgate = await startTestGateway({
    bundle: await compileRules(ALLOW_EVERYTHING),
    upstream: upstream.origin,
  })
  const key = await createDpopKey()
  signing = createSigningFetch({
    gateway: toolgate.origin,
    key,
    accessToken: async () => toolgate.token({ jkt: key.thumbprint }),
  })
})
afterAll(async () => {
  await toolgate[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})

const EVENTS = '/github/repos/zyx/platform-infra/events'
const ASSETS = '/github/repos/zyx/platform-infra/releases/1/assets?name=a'
const HALF_MEBIBYTE = Buffer.alloc(524_288, 'x')

/** The upstream's side of the next call. */
async function atUpstream(): Promise<{ request: IncomingMessage; response: ServerResponse }> {
  await expect.poll(() => exchanges.length, { interval: 5 }).toBeGreaterThan(0)
  return exchanges.shift() as (typeof exchanges)[number]
}

async function outcomeOf(callId: string | null): Promise<string> {
  await expect.poll(() => toolgate.recordsOf(String(callId)), { interval: 5 }).toHaveLength(2)
  const [, outcome] = await toolgate.recordsOf(String(callId))
  return outcome?.type === 'outcome' ? outcome.outcome : ''
}

describe('an event stream', () => {
  it('comes event by event, each before the next is written', async () => {
    const fetched = signing(toolgate.origin + EVENTS, { headers: { accept: 'text/event-stream' } })
    const { response } = await atUpstream()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    const reply = await fetched
    expect(reply.headers.get('content-type')).toBe('text/event-stream')
    const reader = (reply.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader()
    for (const event of ['data: 1\n\n', 'data: 2\n\n', ': still here\n\n']) {
      response.write(event)
      expect((await reader.read()).value).toBe(event)
    }
    response.end()
    expect((await reader.read()).done).toBe(true)
    expect(await outcomeOf(reply.headers.get('toolgate-call-id'))).toBe('allowed')
  })

  it('ends at the upstream when the client has enough', async () => {
    const stop = new AbortController()
    const fetched = signing(toolgate.origin + EVENTS, { signal: stop.signal })
    const { response } = await atUpstream()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: 1\n\n')
    const reply = await fetched
    const closed = once(response, 'close')
    stop.abort()
    await closed
    expect(response.writableFinished).toBe(false)
    expect(await outcomeOf(reply.headers.get('toolgate-call-id'))).toBe('client.gone')
  })

  it('breaks for the client where it broke at the upstream', async () => {
    const fetched = signing(toolgate.origin + EVENTS)
    const { response } = await atUpstream()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: 1\n\n')
    const reply = await fetched
    response.destroy()
    await expect(reply.text()).rejects.toThrow('terminated')
    expect(await outcomeOf(reply.headers.get('toolgate-call-id'))).toBe('upstream.truncated')
  })
})

describe('a client that leaves', () => {
  it('takes its call with it while the upstream is still thinking', async () => {
    const stop = new AbortController()
    const octokit = new Octokit({
      baseUrl: `${toolgate.origin}/github`,
      request: { fetch: signing, signal: stop.signal },
      log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    })
    const asked: Promise<unknown> = octokit.repos
      .get({ owner: 'zyx', repo: 'platform-infra' })
      .catch((thrown: unknown) => thrown)
    const { response } = await atUpstream()
    const closed = once(response, 'close')
    stop.abort()
    await closed
    expect(await asked).toMatchObject({ name: 'AbortError' })
    await expect
      .poll(async () => (await toolgate.logLines()).at(-1)?.['reason'], { interval: 5 })
      .toBe('client.gone')
  })
})

describe('a large upload', () => {
  it('reaches the upstream while the client is still sending it', async () => {
    const parts = new TransformStream<Uint8Array, Uint8Array>()
    const writer = parts.writable.getWriter()
    const posted = signing(toolgate.origin + ASSETS, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: parts.readable,
      duplex: 'half',
    })
    // More than is held for policy to see; only then does anything go on.
    for (let count = 0; count < 4; count += 1) await writer.write(HALF_MEBIBYTE)
    const { request, response } = await atUpstream()
    let receivedBytes = 0
    request.on('data', (chunk: Buffer) => (receivedBytes += chunk.length))
    await expect.poll(() => receivedBytes, { interval: 5 }).toBeGreaterThanOrEqual(HALF_MEBIBYTE.length)
    await writer.write(HALF_MEBIBYTE)
    await writer.close()
    await once(request, 'end')
    expect(receivedBytes).toBe(5 * HALF_MEBIBYTE.length)
    response.writeHead(201).end()
    const reply = await posted
    expect(reply.status).toBe(201)
    expect(await outcomeOf(reply.headers.get('toolgate-call-id'))).toBe('allowed')
  })

  it('is broken off at the upstream when the client breaks it off', async () => {
    const stop = new AbortController()
    const parts = new TransformStream<Uint8Array, Uint8Array>()
    const writer = parts.writable.getWriter()
    const posted = signing(toolgate.origin + ASSETS, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: parts.readable,
      duplex: 'half',
      signal: stop.signal,
    }).catch((thrown: unknown) => thrown)
    for (let count = 0; count < 4; count += 1) await writer.write(HALF_MEBIBYTE)
    const { request } = await atUpstream()
    const { promise: broken, resolve } = Promise.withResolvers<void>()
    request
      .on('error', () => undefined)
      .once('close', resolve)
      .resume()
    writer.closed.catch(() => undefined)
    stop.abort()
    await broken
    expect(request.complete).toBe(false)
    expect(await posted).toMatchObject({ name: 'AbortError' })
  })
})
