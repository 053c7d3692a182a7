import { describe, expect, it, vi } from 'vitest'
import {
  decisionLogConfig,
  openDecisionLog,
  type TestDecisionLog,
  UPLOAD_NEVER,
} from '../harness/decision-log.ts'
import { type OpaCollector, startOpaCollector } from '../harness/opa-collector.ts'

const idsOf = ({ events }: OpaCollector): unknown[] => events.map((event) => event['decision_id'])
const soon = { timeout: 8_000, interval: 10 }

describe('a full buffer', () => {
  const away = { ...UPLOAD_NEVER, service: { timeoutMs: 100 } }
  const buffered = ({ log }: { log: { status(): { events: number } } }): number => log.status().events

  const overflowed = ({ told }: TestDecisionLog): number =>
    told.reduce((sum, event) => sum + (event.type === 'overflowed' ? event.events : 0), 0)

  it('drops the oldest decisions where it may, and counts them', async () => {
    await using collector = await startOpaCollector()
    collector.answerWith((_, response) => response.writeHead(500).end())
    await using log = await openDecisionLog(
      decisionLogConfig(collector.url, { ...away, buffer: { limitEvents: 10 } }),
    )
    const ids = log.decide(30)
    expect(log.log.admits()).toBe(true)
    // The buffer is full for the first time long before all of them have been encoded.
    await vi.waitFor(() => expect(overflowed(log)).toBe(20), soon)
    expect(buffered(log)).toBe(10)
    // What was on its way when the oldest were dropped still holds them, and has to fail before the collector is well.
    const asked = collector.requests
    await collector.until(() => collector.requests > asked)
    collector.answerWith(undefined)
    await log[Symbol.asyncDispose]()
    expect(idsOf(collector)).toEqual(ids.slice(20))
  })

  it.each([{ limitEvents: 10 }, { limitBytes: 65_536 }])(
    'refuses decisions where it must not lose any: %o',
    async (limits) => {
      await using collector = await startOpaCollector()
      collector.answerWith((_, response) => response.writeHead(500).end())
      await using log = await openDecisionLog(
        decisionLogConfig(collector.url, { ...away, buffer: { onFull: 'deny', ...limits } }),
      )
      let made = 0
      for (; made < 1_000 && log.log.admits() === true; made += 1) log.decide()
      expect(made).toBeGreaterThanOrEqual(10)
      expect(made).toBeLessThan(200)
      await vi.waitFor(() => expect(buffered(log)).toBe(made), soon)
      expect(log.log.admits()).toBe(false)
      collector.answerWith(undefined)
      await collector.until(() => collector.events.length === made)
      await vi.waitFor(() => expect(log.log.admits()).toBe(true), soon)
    },
  )

  it('lets decisions wait until there is room', async () => {
    await using collector = await startOpaCollector()
    collector.answerWith((_, response) => response.writeHead(500).end())
    const buffer = { onFull: 'block', limitEvents: 10, blockTimeoutMs: 8_000 } as const
    await using log = await openDecisionLog(decisionLogConfig(collector.url, { ...away, buffer }))
    log.decide(10)
    const waiting = log.log.admits()
    expect(waiting).toBeInstanceOf(Promise)
    collector.answerWith(undefined)
    expect(await waiting).toBe(true)
  })

  it('lets no decision wait longer than it may', async () => {
    await using collector = await startOpaCollector()
    collector.answerWith((_, response) => response.writeHead(500).end())
    const buffer = { onFull: 'block', limitEvents: 10, blockTimeoutMs: 30 } as const
    await using log = await openDecisionLog(decisionLogConfig(collector.url, { ...away, buffer }))
    log.decide(10)
    expect(await log.log.admits()).toBe(false)
  })
})
