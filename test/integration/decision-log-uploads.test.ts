import type { RequestListener } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { decisionLogConfig, idsOf, openDecisionLog, UPLOAD_NEVER } from '../harness/decision-log.ts'
import { startOpaCollector } from '../harness/opa-collector.ts'
import { createPki } from '../harness/pki.ts'

const soon = { timeout: 8_000, interval: 10 }

describe('the decision log', () => {
  it('posts every decision once, in order, as a gzip compressed array of events', async () => {
    await using collector = await startOpaCollector()
    await using log = await openDecisionLog(decisionLogConfig(collector.url))
    const ids = [...log.decide(3), ...log.decide(200)]
    await collector.until(() => collector.events.length === ids.length)
    expect(idsOf(collector)).toEqual(ids)
    expect(collector.events.map((event) => event['req_id'])).toEqual(ids.map((_, index) => index + 1))
    expect(collector.uploads[0]).toMatchObject({
      url: '/logs',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    })
    expect(collector.problems).toEqual([])
  })

  it('posts to the resource below the path of the service', async () => {
    await using collector = await startOpaCollector()
    const config = decisionLogConfig(`${collector.url}/api/v2`, { resource: 'logs/edge' })
    await using log = await openDecisionLog(config)
    log.decide()
    await collector.until(() => collector.uploads.length === 1)
    expect(collector.uploads[0]?.url).toBe('/api/v2/logs/edge')
  })

  it('posts no more than the limit at once', async () => {
    await using collector = await startOpaCollector()
    await using log = await openDecisionLog(decisionLogConfig(collector.url, { uploadLimitBytes: 2_000 }))
    const ids = log.decide(500)
    await collector.until(() => collector.events.length === ids.length)
    expect(Math.max(...collector.uploads.map(({ sizeBytes }) => sizeBytes))).toBeLessThanOrEqual(2_000)
    expect(idsOf(collector)).toEqual(ids)
  })

  it('posts less at once where the collector takes less than is configured', async () => {
    await using collector = await startOpaCollector({ limitBytes: 1_500 })
    await using log = await openDecisionLog(decisionLogConfig(collector.url))
    const ids = log.decide(300)
    await collector.until(() => collector.events.length === ids.length)
    expect(idsOf(collector)).toEqual(ids)
  })

  it('gives up an event that the collector never takes for its size, and goes on', async () => {
    await using collector = await startOpaCollector({ limitBytes: 10 })
    await using log = await openDecisionLog(decisionLogConfig(collector.url))
    log.decide(2)
    await vi.waitFor(() => expect(log.told.filter(({ type }) => type === 'too_large')).toHaveLength(2), soon)
    expect(log.log.status()).toMatchObject({ events: 0 })
  })

  it('uploads a full chunk at once where it is told to', async () => {
    await using collector = await startOpaCollector()
    const config = { ...UPLOAD_NEVER, trigger: 'immediate', uploadLimitBytes: 2_000 } as const
    await using log = await openDecisionLog(decisionLogConfig(collector.url, config))
    log.decide(1)
    await pause(50)
    expect(collector.requests).toBe(0)
    log.decide(200)
    await collector.until(() => collector.uploads.length > 0)
  })

  it('uploads before its time where the buffer is half full', async () => {
    await using collector = await startOpaCollector()
    const config = decisionLogConfig(collector.url, { ...UPLOAD_NEVER, buffer: { limitEvents: 100 } })
    await using log = await openDecisionLog(config)
    log.decide(40)
    await pause(50)
    expect(collector.requests).toBe(0)
    log.decide(20)
    await collector.until(() => collector.events.length === 60)
    expect(log.told).not.toContainEqual(expect.objectContaining({ type: 'overflowed' }))
  })

  it('uploads what is left when it ends', async () => {
    await using collector = await startOpaCollector()
    const log = await openDecisionLog(decisionLogConfig(collector.url, UPLOAD_NEVER))
    const ids = log.decide(20)
    await log[Symbol.asyncDispose]()
    expect(idsOf(collector)).toEqual(ids)
  })

  it('does not end later than one request may take', async () => {
    await using collector = await startOpaCollector()
    collector.answerWith(() => undefined)
    const config = decisionLogConfig(collector.url, { ...UPLOAD_NEVER, service: { timeoutMs: 150 } })
    const log = await openDecisionLog(config)
    log.decide()
    const startedMs = performance.now()
    await log[Symbol.asyncDispose]()
    expect(performance.now() - startedMs).toBeLessThan(3_000)
  })

  it('shows a bearer token, read anew for every upload', async () => {
    await using collector = await startOpaCollector({ token: 'hunter2' })
    let token = 'hunter1'
    await using log = await openDecisionLog(decisionLogConfig(collector.url), { token: () => token })
    log.decide()
    await vi.waitFor(() => expect(log.log.status().failure?.httpStatus).toBe(401), soon)
    expect(log.log.status().failure?.message).not.toContain('hunter1')
    token = 'hunter2'
    await collector.until(() => collector.events.length === 1)
    await vi.waitFor(() => expect(log.log.status().failure).toBeUndefined(), soon)
  })

  it('shows a client certificate, and believes only its own authority', async () => {
    await using pki = createPki()
    await using foreign = createPki()
    await using collector = await startOpaCollector({ pki })
    const { certFile: clientCertificateFile, keyFile: clientKeyFile } = pki.client()
    const open = (caFile: string) =>
      openDecisionLog(
        decisionLogConfig(collector.url, { service: { caFile, clientCertificateFile, clientKeyFile } }),
      )
    await using log = await open(pki.caFile)
    const ids = log.decide()
    await collector.until(() => collector.events.length === 1)
    expect(idsOf(collector)).toEqual(ids)

    await using misled = await open(foreign.caFile)
    misled.decide()
    await vi.waitFor(() => expect(misled.log.status().failure?.message).toMatch(/certificate/), soon)
    expect(collector.events).toHaveLength(1)
  })

  it('of a rate that is exceeded lacks what is above it, and says how much', async () => {
    await using collector = await startOpaCollector()
    await using log = await openDecisionLog(decisionLogConfig(collector.url, { maxDecisionsPerSecond: 5 }))
    log.decide(20)
    await collector.until(() => collector.events.length >= 5)
    const dropped = log.told.filter((event) => event.type === 'dropped' && event.why === 'rate').length
    expect(dropped).toBeGreaterThanOrEqual(14)
    expect(collector.events.length + dropped).toBeLessThanOrEqual(20)
  })
})

const FAILURES: Readonly<Record<string, { answer: RequestListener; failure: object }>> = {
  'answers 401': { answer: (_, response) => response.writeHead(401).end(), failure: { httpStatus: 401 } },
  'answers 500': { answer: (_, response) => response.writeHead(500).end(), failure: { httpStatus: 500 } },
  'answers 503 with a long page': {
    answer: (_, response) => response.writeHead(503).end('x'.repeat(1 << 20)),
    failure: { httpStatus: 503 },
  },
  redirects: {
    answer: (_, response) => response.writeHead(307, { location: 'http://127.0.0.1:1/logs' }).end(),
    failure: { httpStatus: 307, message: expect.stringContaining('redirects are not followed') as unknown },
  },
  'breaks the connection off': {
    answer: (_, response) => void response.destroy(),
    failure: { httpStatus: undefined },
  },
  'never answers': {
    answer: () => undefined,
    failure: { httpStatus: undefined, message: expect.stringContaining('in time') as unknown },
  },
  'begins an answer and never ends it': {
    answer: (_, response) => void response.writeHead(200).write('{'),
    failure: { httpStatus: undefined, message: expect.stringContaining('in time') as unknown },
  },
}

describe('a collector that', () => {
  it.each(Object.entries(FAILURES))(
    '%s is sent the same again once it is well',
    async (_, { answer, failure }) => {
      await using collector = await startOpaCollector()
      collector.answerWith(answer)
      await using log = await openDecisionLog(
        decisionLogConfig(collector.url, { service: { timeoutMs: 200 } }),
      )
      const ids = log.decide(5)
      await vi.waitFor(() => expect(log.log.status().failure).toMatchObject(failure), soon)
      expect(log.log.status().events).toBe(5)
      collector.answerWith(undefined)
      await collector.until(() => collector.events.length === 5)
      expect(idsOf(collector)).toEqual(ids)
      await vi.waitFor(() => expect(log.log.status()).toMatchObject({ events: 0, failure: undefined }), soon)
    },
  )

  it('fails again and again is asked ever less often', async () => {
    await using collector = await startOpaCollector()
    const askedMs: number[] = []
    collector.answerWith((_, response) => {
      askedMs.push(performance.now())
      response.writeHead(500).end()
    })
    const config = { ...UPLOAD_NEVER, trigger: 'immediate', uploadLimitBytes: 1_024 } as const
    await using log = await openDecisionLog(decisionLogConfig(collector.url, config))
    log.decide(5)
    await collector.until(() => askedMs.length === 4)
    const gapsMs = askedMs.slice(1).map((atMs, index) => atMs - (askedMs[index] ?? 0))
    expect(gapsMs[0]).toBeGreaterThan(75)
    expect(gapsMs[1]).toBeGreaterThan(120)
    expect(gapsMs[2]).toBeGreaterThan(200)
  })

  it('fails is not asked sooner because more decisions are made', async () => {
    await using collector = await startOpaCollector()
    collector.answerWith((_, response) => response.writeHead(500).end())
    const config = decisionLogConfig(collector.url, { ...UPLOAD_NEVER, buffer: { limitEvents: 10 } })
    await using log = await openDecisionLog(config)
    log.decide(6)
    await collector.until(() => collector.requests === 1)
    for (let round = 0; round < 5; round += 1) {
      log.decide(2)
      await pause(5)
    }
    expect(collector.requests).toBe(1)
  })
})
