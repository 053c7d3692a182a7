import { request } from 'node:https'
import { generateKeyPair, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { fakeRoute } from '../../../connectors/fake-route.ts'
import { startFakeServer } from '../../../connectors/fake-server.ts'
import type { Fake, FakeOptions } from '../../../connectors/fake-server.ts'
import { createPki } from '../../harness/pki.ts'

function start(options: FakeOptions = {}): Promise<Fake> {
  return startFakeServer(
    {
      routes: [
        fakeRoute('GET /things/{id}', (asked) => ({ status: 200, body: { id: asked.param('id') } })),
        fakeRoute('GET /compare/{base}...{head}', (asked) => ({
          status: 200,
          body: [asked.param('base'), asked.param('head')],
        })),
        fakeRoute('GET /files/{path+}', (asked) => ({ status: 200, body: asked.param('path') })),
        fakeRoute('POST /things', (asked) => ({ status: 201, body: asked.body })),
      ],
      notFound: () => ({ status: 404, body: { error: 'no such thing' } }),
    },
    options,
  )
}

describe('a fake server', () => {
  it('matches raw segments and decodes each parameter once', async () => {
    await using fake = await start()
    const read = async (path: string): Promise<unknown> => (await fetch(`${fake.origin}${path}`)).json()
    expect(await read('/things/a%2Fb')).toEqual({ id: 'a/b' })
    expect(await read('/things/a/b')).toEqual({ error: 'no such thing' })
    expect(await read('/compare/main...feature%2Fx')).toEqual(['main', 'feature/x'])
  })

  it('records target, header names as sent and body bytes', async () => {
    await using fake = await start()
    const body = Buffer.from([0, 255, 10])
    await fetch(`${fake.origin}/things?x=%41`, { method: 'POST', body, headers: { 'X-Mixed-Case': 'yes' } })
    expect(fake.requests).toMatchObject([{ method: 'POST', target: '/things?x=%41', body, leaks: [] }])
    expect(fake.requests[0]?.rawHeaders).toContain('yes')
    expect(await fake.requests[0]?.ended).toBe('sent')
  })

  it('names what leaked of the hop between agent and gateway', async () => {
    await using fake = await start()
    const { privateKey } = await generateKeyPair('ES256')
    const sign = (typ: string): Promise<string> =>
      new SignJWT({}).setProtectedHeader({ alg: 'ES256', typ }).sign(privateKey)
    const accessToken = await sign('at+jwt')
    await fetch(`${fake.origin}/things/1`, {
      headers: {
        DPoP: await sign('dpop+jwt'),
        'Toolgate-Task': 't',
        Authorization: `DPoP ${accessToken}`,
        'X-Forwarded-For': '10.0.0.1',
      },
    })
    await fetch(`${fake.origin}/things`, { method: 'POST', body: `token=${accessToken}` })
    await fetch(`${fake.origin}/things/1`, { headers: { Authorization: `Bearer ${await sign('JWT')}` } })
    expect(fake.requests.map((each) => each.leaks.toSorted())).toEqual([
      [
        'authorization carries at+jwt',
        'authorization: DPoP',
        'dpop',
        'dpop carries dpop+jwt',
        'toolgate-task',
        'x-forwarded-for',
      ],
      ['body carries at+jwt'],
      [],
    ])
  })

  it('answers as a test tells it to, as often as it says', async () => {
    await using fake = await start()
    fake.behave({
      when: ({ method }) => method === 'GET',
      times: 1,
      status: 503,
      headers: { 'Retry-After': '1' },
      body: 'busy',
    })
    const first = await fetch(`${fake.origin}/things/1`)
    expect([first.status, first.headers.get('retry-after'), await first.text()]).toEqual([503, '1', 'busy'])
    expect((await fetch(`${fake.origin}/things/1`)).status).toBe(200)
  })

  it('goes back to itself when a behaviour is disposed', async () => {
    await using fake = await start()
    const broken = fake.behave({ status: 500 })
    expect((await fetch(`${fake.origin}/things/1`)).status).toBe(500)
    broken[Symbol.dispose]()
    expect((await fetch(`${fake.origin}/things/1`)).status).toBe(200)
  })

  it('breaks off in the middle of a body and says so', async () => {
    await using fake = await start()
    fake.behave({ body: 'x'.repeat(100), abortAfterBytes: 10 })
    const reply = await fetch(`${fake.origin}/things/1`)
    expect(reply.headers.get('content-length')).toBe('100')
    await expect(reply.text()).rejects.toThrow('terminated')
    expect(await fake.requests[0]?.ended).toBe('aborted')
  })

  it('streams what a test feeds it, chunk by chunk', async () => {
    await using fake = await start()
    let release = (): void => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const events = async function* (): AsyncGenerator<string> {
      yield 'data: 1\n\n'
      await gate
      yield 'data: 2\n\n'
    }
    fake.behave({ stream: events(), headers: { 'Content-Type': 'text/event-stream' } })
    const reply = await fetch(`${fake.origin}/things/1`)
    const chunks: string[] = []
    for await (const chunk of (reply.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      chunks.push(chunk)
      release()
    }
    expect(chunks).toEqual(['data: 1\n\n', 'data: 2\n\n'])
  })

  it('tells when the client leaves before the answer', async () => {
    await using fake = await start()
    fake.behave({ delayMs: 60_000 })
    const leaving = new AbortController()
    const call = fetch(`${fake.origin}/things/1`, { signal: leaving.signal })
    const recorded = await fake.received(({ target }) => target === '/things/1')
    leaving.abort()
    await expect(call).rejects.toThrow('aborted')
    expect(await recorded.ended).toBe('aborted')
  })

  it('rejects the wait for a request that never comes', async () => {
    await using fake = await start()
    await expect(fake.received(() => true, 20)).rejects.toThrow('no such request arrived within 20 ms')
  })

  it('sends no content with 204, 304 and HEAD, and compresses only when asked', async () => {
    await using fake = await start()
    const head = await fetch(`${fake.origin}/things/1`, { method: 'HEAD' })
    expect([head.headers.get('content-length'), await head.text()]).toEqual(['10', ''])
    fake.behave({ status: 204 })
    expect((await fetch(`${fake.origin}/things/1`)).headers.get('content-length')).toBeNull()
    fake.behave({ body: 'x'.repeat(2_000) })
    const plain = await fetch(`${fake.origin}/things/1`, { headers: { 'Accept-Encoding': 'identity' } })
    const small = await fetch(`${fake.origin}/things/1`)
    expect([plain, small].map((reply) => reply.headers.get('content-encoding'))).toEqual([null, 'gzip'])
    expect(await small.text()).toHaveLength(2_000)
  })

  it('speaks TLS with the certificate it is given', async () => {
    await using pki = createPki()
    const { key, cert } = pki.server()
    await using fake = await start({ tls: { key, cert } })
    const status = await new Promise((resolve, reject) => {
      request(`${fake.origin}/things/1`, { ca: pki.ca }, (reply) => resolve(reply.resume().statusCode))
        .on('error', reject)
        .end()
    })
    expect([fake.origin.startsWith('https://'), status]).toEqual([true, 200])
  })
})
