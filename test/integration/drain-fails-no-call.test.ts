import { Agent, request as httpRequest } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Received } from '../../gateway/exchange.ts'
import { refusalCodeOf } from '../../gateway/fault.ts'
import type { Reply } from '../../gateway/listen/reply.ts'
import { startListener } from '../harness/listener.ts'
import { until } from '../harness/until.ts'
import type { TestListener } from '../harness/listener.ts'
import { connectRaw } from '../harness/raw-client.ts'

const GET = 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n'

/** Answers after a few milliseconds, so that some calls are in flight at any moment. */
async function answerSoon(received: Received, reply: Reply): Promise<void> {
  await delay(5)
  reply.begin(200, ['Content-Length', '2'], received).end('ok')
}

describe('A drain', () => {
  it('fails no request of clients under load that go where readiness sends them', async () => {
    const gateways = [
      await startListener({ onReceived: answerSoon }),
      await startListener({ onReceived: answerSoon }),
    ]
    const [leaving, staying] = gateways as [TestListener, TestListener]
    const agent = new Agent({ keepAlive: true })
    const failures: unknown[] = []
    let answered = 0
    const stop = new AbortController()
    const client = async (): Promise<void> => {
      for (let turn = 0; !stop.signal.aborted; turn += 1) {
        const ready = gateways.filter(({ listener }) => listener.state === 'accepting')
        const { port } = ready[turn % ready.length] as TestListener
        await get(port, agent).then(
          () => (answered += 1),
          (cause: unknown) => failures.push(cause),
        )
      }
    }
    const clients = Array.from({ length: 32 }, client)
    await until(() => answered > 200)
    const callsBefore = leaving.received.length
    expect(callsBefore).toBeGreaterThan(0)

    await expect(leaving.listener.drain({ graceMs: 200, deadlineMs: 5000 })).resolves.toEqual({ cutCalls: 0 })
    expect(leaving.listener.state).toBe('closed')
    const answeredAtClose = answered
    await until(() => answered > answeredAtClose + 200)
    stop.abort()
    await Promise.all(clients)
    agent.destroy()
    await staying.listener.drain({ graceMs: 0, deadlineMs: 1000 })
    expect(failures).toEqual([])
  })

  it('still accepts during the grace, and tells every client not to come back', async () => {
    await using gateway = await startListener()
    const drained = gateway.listener.drain({ graceMs: 300, deadlineMs: 1000 })
    expect(gateway.listener.state).toBe('draining')
    await using client = await connectRaw(gateway.port)
    client.send(GET)
    const response = await client.response()
    expect([response.status, response.header('connection')]).toEqual([200, 'close'])
    await client.closed
    await drained
    await expect(connectRaw(gateway.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('lets a call in flight finish, closes what is idle, and then settles', async () => {
    let release = (): void => undefined
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    await using gateway = await startListener({
      onReceived: async (received, reply) => {
        if (received.path === '/slow') await released
        reply.begin(200, ['Content-Length', '0'], received).end()
      },
    })
    await using idle = await connectRaw(gateway.port)
    idle.send(GET)
    await idle.response()
    await using busy = await connectRaw(gateway.port)
    busy.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n')
    await until(() => gateway.listener.callsInFlight === 1)
    const drained = gateway.listener.drain({ graceMs: 0, deadlineMs: 10_000 })
    await idle.closed
    release()
    const response = await busy.response()
    expect([response.status, response.header('connection')]).toEqual([200, 'close'])
    expect(await drained).toEqual({ cutCalls: 0 })
  })

  it('does not wait for a connection that never sent anything, but for a request half sent', async () => {
    await using gateway = await startListener()
    await using silent = await connectRaw(gateway.port)
    await using half = await connectRaw(gateway.port)
    half.send(GET.slice(0, 20))
    await using probe = await connectRaw(gateway.port)
    probe.send(GET)
    await probe.response()
    const drained = gateway.listener.drain({ graceMs: 0, deadlineMs: 10_000 })
    await silent.closed
    half.send(GET.slice(20))
    expect((await half.response()).status).toBe(200)
    expect(await drained).toEqual({ cutCalls: 0 })
  })

  it('waits for the record of a call, not only for its reply', async () => {
    let recorded = false
    let record = (): void => undefined
    const recording = new Promise<void>((resolve) => {
      record = resolve
    })
    await using gateway = await startListener({
      onReceived: async (received, reply) => {
        reply.begin(200, ['Content-Length', '0'], received).end()
        await recording
        recorded = true
      },
    })
    await using client = await connectRaw(gateway.port)
    client.send(GET)
    await client.response()
    const drained = gateway.listener.drain({ graceMs: 0, deadlineMs: 10_000 })
    let settled = false
    void drained.then(() => {
      settled = true
    })
    await client.closed
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    expect(settled).toBe(false)
    record()
    await drained
    expect(recorded).toBe(true)
  })

  it('refuses at the deadline what has not been answered, and cuts what has begun', async () => {
    await using gateway = await startListener({
      onReceived: async (received, reply) => {
        const { signal } = received.arrival
        if (received.path === '/stream')
          reply.begin(200, ['Content-Type', 'text/event-stream'], received).write('data: 1\n\n')
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve)
        })
        return reply.refuse({ code: refusalCodeOf(signal.reason), retryAfterMs: 1000 }, received)
      },
    })
    await using waiting = await connectRaw(gateway.port)
    await using streaming = await connectRaw(gateway.port)
    waiting.send(GET)
    streaming.send('GET /stream HTTP/1.1\r\nHost: a\r\n\r\n')
    await until(() => gateway.listener.callsInFlight === 2)
    expect(await gateway.listener.drain({ graceMs: 0, deadlineMs: 50 })).toEqual({ cutCalls: 2 })
    const refused = await waiting.response()
    expect([refused.status, refused.header('retry-after')]).toEqual([503, '1'])
    await streaming.closed
    expect(gateway.outcomes.map(({ code }) => code)).toEqual(['gateway.draining', 'gateway.draining'])
  })

  it('does not wait for ever for a call that heeds nothing', async () => {
    await using gateway = await startListener({ onReceived: () => new Promise(() => {}) })
    await using client = await connectRaw(gateway.port)
    client.send(GET)
    await until(() => gateway.listener.callsInFlight === 1)
    expect(await gateway.listener.drain({ graceMs: 0, deadlineMs: 20 })).toEqual({ cutCalls: 1 })
    await client.closed
  })

  it('happens once, however often it is asked for', async () => {
    await using gateway = await startListener()
    const first = gateway.listener.drain({ graceMs: 0, deadlineMs: 10 })
    expect(gateway.listener.drain({ graceMs: 9999, deadlineMs: 9999 })).toBe(first)
    await first
  })
})

function get(port: number, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, path: '/a', agent }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`))
      response.resume().once('end', resolve).once('error', reject)
    })
    request.once('error', reject)
    request.end()
  })
}
