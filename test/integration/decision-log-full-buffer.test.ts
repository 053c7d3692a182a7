import { describe, expect, it, vi } from 'vitest'
import { decisionLogConfig, idsOf, openDecisionLog, UPLOAD_NEVER } from '../harness/decision-log.ts'
import { startOpaCollector } from '../harness/opa-collector.ts'
import { virtualClock } from '../harness/virtual-clock.ts'

const soon = { timeout: 8_000, interval: 10 }

describe('a full buffer', () => {
  const away = { ...UPLOAD_NEVER, service: { timeoutMs: 100 } }
  const buffered = ({ log }: { log: { status(): { events: number } } }): number => log.status().events

  it('drops the oldest decisions where it may, and counts them', async () => {
    await using collector = await startOpaCollector()
    collector.answerWith((_, response) => response.writeHead(500).end())
    const config = decisionLogConfig(collector.url, { ...UPLOAD_NEVER, buffer: { limitEvents: 10 } })
    // By a clock that stands still all of them are encoded in one turn, before any upload begins.
    await using log = await openDecisionLog(config, { clock: virtualClock() })
    const ids = log.decide(30)
    expect(log.log.admits()).toBe(true)
    await vi.waitFor(() => expect(buffered(log)).toBe(10), soon)
    expect(log.told).toContainEqual(expect.objectContaining({ type: 'overflowed', events: 20 }))
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
