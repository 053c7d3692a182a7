import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { NOTHING_FOUND } from '../../gateway/detectors/findings.ts'
import type { ViewInput } from '../../gateway/catalog/view.ts'
import type { Admitted, ReadCall, Received } from '../../gateway/exchange.ts'
import { refusalCodeOf } from '../../gateway/fault.ts'
import type { Reply } from '../../gateway/listen/reply.ts'
import { pass } from '../../gateway/refusal.ts'
import type { RefusalCode } from '../../gateway/refusal.ts'
import { createRead } from '../../gateway/stages/read.ts'
import { startListener } from '../harness/listener.ts'
import { until } from '../harness/until.ts'
import type { TestListener } from '../harness/listener.ts'
import { connectRaw, sendRaw } from '../harness/raw-client.ts'
import { syntheticCall } from '../harness/synthetic-call.ts'

const LIMIT_BYTES = 100_000
const HOLD_BYTES = 1000

interface Reading {
  readonly gateway: TestListener
  readonly viewed: readonly ViewInput[]
  readonly calls: readonly ReadCall[]
  /** Bytes of each body as they would go upstream. */
  readonly forwarded: readonly Buffer[]
}

interface ReadingOptions {
  readonly acceptsOpaque?: boolean
  /** Runs between receive and read, as identify and admit do. */
  readonly before?: () => Promise<void>
}

/** A listener whose calls go through the real read stage, to a catalogue that only remembers what it was shown. */
async function startReading({ acceptsOpaque = false, before }: ReadingOptions = {}): Promise<
  Reading & AsyncDisposable
> {
  const viewed: ViewInput[] = []
  const calls: ReadCall[] = []
  const forwarded: Buffer[] = []
  const { params, resource, amount, phase } = syntheticCall()
  const read = createRead({
    view: (_operation, input) => {
      viewed.push(input)
      return pass({ params, resource, amount, phase })
    },
    environment: () => 'staging',
    acceptsOpaque: () => acceptsOpaque,
    detectors: { request: () => NOTHING_FOUND },
    holdBytes: HOLD_BYTES,
  })
  const onReceived = async (received: Received, reply: Reply) => {
    await before?.()
    const synthetic = syntheticCall()
    const connector = { ...synthetic.connector, bodyLimitBytes: LIMIT_BYTES }
    const admitted: Admitted = { ...synthetic, ...received, connector }
    const verdict = await read(admitted, reply)
    if (!verdict.ok) return reply.refuse(verdict.refusal, admitted)
    calls.push(verdict.value)
    const { bytes, stream } = verdict.value.content
    try {
      forwarded.push(stream === undefined ? bytes : Buffer.concat((await stream.toArray()) as Buffer[]))
    } catch (cause) {
      return reply.refuse({ code: refusalCodeOf(cause), cause }, admitted)
    }
    reply.begin(200, ['Content-Length', '0'], received).end()
    return undefined
  }
  const gateway = await startListener({ onReceived })
  return { gateway, viewed, calls, forwarded, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() }
}

function post(contentType: string | undefined, body: Buffer | string, more = ''): Buffer {
  const type = contentType === undefined ? '' : `Content-Type: ${contentType}\r\n`
  const bytes = Buffer.from(body as string)
  return Buffer.concat([
    Buffer.from(`POST /a HTTP/1.1\r\nHost: a\r\n${type}${more}Content-Length: ${bytes.length}\r\n\r\n`),
    bytes,
  ])
}

function postChunks(contentType: string, ...chunks: readonly string[]): string {
  const framed = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')
  return `POST /a HTTP/1.1\r\nHost: a\r\nContent-Type: ${contentType}\r\nTransfer-Encoding: chunked\r\n\r\n${framed}0\r\n\r\n`
}

const form = '--b\r\nContent-Disposition: form-data; name="channels"\r\n\r\nC1\r\n--b--\r\n'

describe('A body', () => {
  it.each([
    [
      'JSON',
      'application/json',
      '{"id":12345678901234567890}',
      { kind: 'json', value: { id: 12345678901234567890n } },
    ],
    ['vendor JSON', 'application/vnd.github+json; charset=utf-8', '[1]', { kind: 'json', value: [1] }],
    [
      'a form',
      'application/x-www-form-urlencoded',
      'channel=C1&text=a%20b',
      { kind: 'form', text: 'channel=C1&text=a%20b' },
    ],
    ['a multipart form', 'multipart/form-data; boundary=b', form, { kind: 'multipart', names: ['channels'] }],
  ])('of %s is parsed once, digested, and held byte for byte', async (_, contentType, body, parsed) => {
    await using reading = await startReading()
    const response = await sendRaw(reading.gateway.port, post(contentType, body))
    expect(response.status).toBe(200)
    const digest = createHash('sha256').update(body).digest('hex')
    expect(reading.viewed).toHaveLength(1)
    expect(reading.viewed[0]).toMatchObject({ digest, body: { kind: parsed.kind } })
    expect(plain(reading.viewed[0]?.body)).toEqual(plain(parsed))
    expect(reading.calls[0]).toMatchObject({ environment: 'staging', content: { kind: parsed.kind, digest } })
    expect(reading.forwarded.map(String)).toEqual([body])
  })

  it('that has arrived before its turn is read without waiting', async () => {
    let arrived = (): void => undefined
    const all = new Promise<void>((resolve) => {
      arrived = resolve
    })
    await using reading = await startReading({ before: () => all })
    await using client = await connectRaw(reading.gateway.port)
    client.send(post('application/json', '{"a":1}'))
    await until(() => reading.gateway.received[0]?.arrival.request.complete === true)
    arrived()
    expect((await client.response()).status).toBe(200)
    expect(reading.forwarded.map(String)).toEqual(['{"a":1}'])
    client.send(post('application/json', '{"a":2}'))
    expect((await client.response()).status).toBe(200)
  })

  it('may come in chunks, and slowly', async () => {
    await using reading = await startReading()
    await using client = await connectRaw(reading.gateway.port)
    for (const byte of postChunks('application/json', '{"a"', ':1}')) client.send(byte)
    expect((await client.response()).status).toBe(200)
    expect(reading.forwarded.map(String)).toEqual(['{"a":1}'])
  })

  it('may be missing', async () => {
    await using reading = await startReading()
    await sendRaw(reading.gateway.port, post('application/json', ''))
    await sendRaw(reading.gateway.port, postChunks('application/json'))
    await sendRaw(reading.gateway.port, 'DELETE /a HTTP/1.1\r\nHost: a\r\n\r\n')
    const digest = createHash('sha256').digest('hex')
    expect(reading.calls.map(({ content: { kind, digest } }) => [kind, digest])).toEqual(
      Array.from({ length: 3 }, () => ['none', digest]),
    )
  })

  const bad: readonly (readonly [string, string | Buffer, RefusalCode])[] = [
    [
      'larger than the connector takes',
      post('application/json', 'a'.repeat(LIMIT_BYTES + 1)),
      'request.body_too_large',
    ],
    [
      'that grows larger in chunks',
      postChunks('application/json', 'a'.repeat(60_000), 'a'.repeat(60_000)),
      'request.body_too_large',
    ],
    ['of broken JSON', post('application/json', '{"a":'), 'request.body_invalid'],
    ['of JSON with two readings', post('application/json', '{"a":1,"a":2}'), 'request.body_invalid'],
    [
      'of JSON in another charset',
      post('application/json; charset=utf-16', '{}'),
      'request.body_unsupported',
    ],
    [
      'of JSON labelled as a form',
      post('application/x-www-form-urlencoded', ' {"state":"closed"}'),
      'request.body_invalid',
    ],
    [
      'of a form that is not UTF-8',
      post('application/x-www-form-urlencoded', Buffer.from([0x61, 0x3d, 0xff])),
      'request.body_invalid',
    ],
    ['of a broken multipart form', post('multipart/form-data; boundary=c', form), 'request.body_invalid'],
    ['of multipart without boundary', post('multipart/form-data', form), 'request.body_invalid'],
    ['of no type', post(undefined, '{}'), 'request.body_unsupported'],
    ['of a type that policy cannot see', post('text/plain', '{}'), 'request.body_unsupported'],
    [
      'that is compressed',
      post('application/json', '{}', 'Content-Encoding: gzip\r\n'),
      'request.body_unsupported',
    ],
  ]
  it.each(bad)('%s is refused', async (_, bytes, code) => {
    await using reading = await startReading()
    await sendRaw(reading.gateway.port, bytes)
    expect(reading.gateway.outcomes.map((outcome) => outcome.code)).toEqual([code])
    expect(reading.viewed).toEqual([])
  })

  it('that breaks off ends the call as gone', async () => {
    await using reading = await startReading()
    const client = await connectRaw(reading.gateway.port)
    client.send(
      'POST /a HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"a"',
    )
    await until(() => reading.gateway.received.length === 1)
    client.socket.destroy()
    await until(() => reading.gateway.outcomes.length === 1)
    expect(reading.gateway.outcomes).toMatchObject([{ code: 'client.gone', status: 0 }])
  })
})

describe('A file', () => {
  const file = Buffer.from('a'.repeat(HOLD_BYTES + 1))

  it('is held and digested while it is small', async () => {
    await using reading = await startReading({ acceptsOpaque: true })
    await sendRaw(reading.gateway.port, post('application/zip', 'zip'))
    expect(reading.calls[0]?.content).toMatchObject({
      kind: 'opaque',
      stream: undefined,
      digest: createHash('sha256').update('zip').digest('hex'),
    })
    expect(reading.viewed[0]?.body).toEqual({ kind: 'opaque' })
  })

  it.each([
    ['of known length', post('application/zip', file)],
    ['in chunks', postChunks('application/zip', 'a'.repeat(600), 'a'.repeat(401))],
    ['within a form', post('multipart/form-data; boundary=b', file)],
  ])('%s goes by as a stream once it is large', async (_, bytes) => {
    await using reading = await startReading({ acceptsOpaque: true })
    expect((await sendRaw(reading.gateway.port, bytes)).status).toBe(200)
    expect(reading.calls[0]?.content).toMatchObject({ bytes: Buffer.alloc(0), digest: '' })
    expect(reading.forwarded).toEqual([file])
    expect(reading.viewed[0]?.body).toEqual({ kind: 'opaque' })
  })

  it('is cut where it grows beyond the limit on its way', async () => {
    await using reading = await startReading({ acceptsOpaque: true })
    const chunk = 'a'.repeat(60_000)
    await sendRaw(reading.gateway.port, postChunks('application/zip', chunk, chunk))
    expect(reading.gateway.outcomes).toMatchObject([{ code: 'request.body_too_large', status: 413 }])
  })
})

/** Numbers beyond 2^53 compare as the double they become. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? Number(member) : member)),
  )
}
