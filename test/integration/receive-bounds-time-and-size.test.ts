import { request as httpRequest } from 'node:http'
import { describe, expect, it } from 'vitest'
import { refusalCodeOf } from '../../gateway/fault.ts'
import { startListener } from '../harness/listener.ts'
import { until } from '../harness/until.ts'
import { connectRaw } from '../harness/raw-client.ts'

describe('A slow client', () => {
  it('gets 408 when its header section does not arrive in time', async () => {
    await using gateway = await startListener({ config: { headersTimeoutMs: 300, requestTimeoutMs: 600 } })
    await using client = await connectRaw(gateway.port)
    client.send('GET /a HTTP/1.1\r\nHost: a\r\n')
    expect((await client.response()).status).toBe(408)
    await client.closed
    expect(gateway.unparsed).toMatchObject([{ refusal: { code: 'request.timeout' }, status: 408 }])
  })

  it('gets 408 when its body does not arrive in time, from the very call that waits for it', async () => {
    await using gateway = await startListener({
      config: { headersTimeoutMs: 300, requestTimeoutMs: 300 },
      onReceived: async (received, reply) => {
        const { signal } = received.arrival
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve)
        })
        return reply.refuse({ code: 'request.timeout', cause: signal.reason as unknown }, received)
      },
    })
    await using client = await connectRaw(gateway.port)
    client.send('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nbody')
    expect((await client.response()).status).toBe(408)
    await client.closed
    expect(gateway.outcomes.map(({ cause }) => refusalCodeOf(cause))).toEqual(['request.timeout'])
    expect(gateway.unparsed).toEqual([])
  })

  it('loses an idle connection after the keep-alive time', async () => {
    await using gateway = await startListener({ config: { keepAliveTimeoutMs: 50 } })
    await using client = await connectRaw(gateway.port)
    client.send('GET /a HTTP/1.1\r\nHost: a\r\n\r\n')
    expect((await client.response()).status).toBe(200)
    await client.closed
  })
})

describe('A client that leaves', () => {
  it('aborts its call', async () => {
    await using gateway = await startListener({
      onReceived: async (received, reply) => {
        await new Promise((resolve) => {
          received.arrival.signal.addEventListener('abort', resolve)
        })
        return reply.refuse({ code: 'gateway.fault' }, received)
      },
    })
    const client = await connectRaw(gateway.port)
    client.send('GET /a HTTP/1.1\r\nHost: a\r\n\r\n')
    await until(() => gateway.received.length === 1)
    client.socket.destroy()
    await until(() => gateway.outcomes.length === 1)
    expect(gateway.outcomes).toMatchObject([{ code: 'client.gone', status: 0, replyBytes: 0 }])
  })

  it('does not abort a call that was answered', async () => {
    await using gateway = await startListener()
    await using client = await connectRaw(gateway.port)
    client.send('GET /a HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.response()
    client.socket.destroy()
    await until(() => gateway.listener.callsInFlight === 0)
    expect(gateway.received[0]?.arrival.signal.aborted).toBe(false)
  })
})

describe('A broken body', () => {
  it('ends the call that reads it, with the code of what is wrong', async () => {
    await using gateway = await startListener({
      onReceived: async (received, reply) => {
        const { signal, request } = received.arrival
        request.resume()
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve)
        })
        return reply.refuse({ code: refusalCodeOf(signal.reason) }, received)
      },
    })
    await using client = await connectRaw(gateway.port)
    client.send('POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nnonsense\r\n')
    const response = await client.response()
    expect(response.status).toBe(400)
    expect(response.header('connection')).toBe('close')
    await client.closed
    expect(gateway.outcomes).toMatchObject([{ code: 'request.malformed', status: 400 }])
    expect(gateway.unparsed).toEqual([])
  })
})

describe('A refusal before the body was read', () => {
  it('reaches a client that is still sending a large one', async () => {
    await using gateway = await startListener({
      onReceived: (received, reply) => reply.refuse({ code: 'request.body_too_large' }, received),
    })
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(
        { port: gateway.port, method: 'POST', headers: { 'Content-Length': 8 * 1_048_576 } },
        (response) => {
          response.resume()
          resolve(response.statusCode)
        },
      )
      request.on('error', reject)
      request.end(Buffer.alloc(8 * 1_048_576))
    })
    expect(status).toBe(413)
  })

  it('keeps the connection where the rest of the body is small', async () => {
    await using gateway = await startListener({
      onReceived: (received, reply) => reply.refuse({ code: 'policy.denied' }, received),
    })
    await using client = await connectRaw(gateway.port)
    const request = `POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n`
    client.send(request)
    const response = await client.response()
    expect(response.header('connection')).toBe('keep-alive')
    client.send('a'.repeat(1000) + request + 'b'.repeat(1000))
    expect((await client.response()).status).toBe(403)
    expect(gateway.received).toHaveLength(2)
  })

  it('does not wait for a body that never comes', async () => {
    await using gateway = await startListener({
      onReceived: (received, reply) => reply.refuse({ code: 'policy.denied' }, received),
    })
    await using client = await connectRaw(gateway.port)
    client.send('POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
    expect((await client.response()).header('connection')).toBe('close')
    await client.closed
  })
})

describe('A gateway with no room', () => {
  it('turns the next call away with a wait, and takes calls again afterwards', async () => {
    let release = (): void => undefined
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    await using gateway = await startListener({
      config: { maxCallsInFlight: 1 },
      onReceived: async (received, reply) => {
        await released
        reply.begin(200, ['Content-Length', '0'], received).end()
      },
    })
    await using first = await connectRaw(gateway.port)
    await using second = await connectRaw(gateway.port)
    first.send('GET /a HTTP/1.1\r\nHost: a\r\n\r\n')
    await until(() => gateway.listener.callsInFlight === 1)
    second.send('GET /b HTTP/1.1\r\nHost: a\r\n\r\n')
    const refused = await second.response()
    expect(refused.status).toBe(503)
    expect(refused.header('retry-after')).toBe('1')
    expect(gateway.turnedAway).toMatchObject([{ code: 'gateway.overloaded', status: 503 }])
    release()
    expect((await first.response()).status).toBe(200)
    await until(() => gateway.listener.callsInFlight === 0)
    second.send('GET /c HTTP/1.1\r\nHost: a\r\n\r\n')
    expect((await second.response()).status).toBe(200)
  })

  it('takes no more connections than it may', async () => {
    await using gateway = await startListener({ config: { maxConnections: 1 } })
    await using first = await connectRaw(gateway.port)
    first.send('GET /a HTTP/1.1\r\nHost: a\r\n\r\n')
    expect((await first.response()).status).toBe(200)
    await using second = await connectRaw(gateway.port)
    await second.closed
  })
})

describe('An old connection', () => {
  it('ends with the reply it is at', async () => {
    let nowMs = 0
    await using gateway = await startListener({
      config: { connectionMaxAgeMs: 600_000 },
      clock: { nowMs: () => Date.now(), monotonicMs: () => nowMs },
    })
    await using client = await connectRaw(gateway.port)
    client.send('GET /a HTTP/1.1\r\nHost: a\r\n\r\n')
    expect((await client.response()).header('connection')).toBe('keep-alive')
    nowMs = 600_000
    client.send('GET /b HTTP/1.1\r\nHost: a\r\n\r\n')
    expect((await client.response()).header('connection')).toBe('close')
    await client.closed
  })
})
