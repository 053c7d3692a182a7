import { expect, it } from 'vitest'
import {
  admissionDemand,
  admitted,
  DENIED,
  ERRORED,
  places,
  proof,
  quota,
  rate,
  SUCCEEDED,
} from './admission-demand.ts'
import type { StoreUnderTest } from './admission-store-under-test.ts'

export function describeReplay(start: () => Promise<StoreUnderTest>): void {
  it('refuses a proof the second time, whatever it is used for', async () => {
    await using store = await start()
    const replay = proof(store.nowMs())
    admitted(await store.admit(admissionDemand({ replay })))
    const again = await store.admit(
      admissionDemand({ replay, operation: 'github.pulls/merge', access: 'write' }),
    )
    expect(again).toEqual({ kind: 'replayed' })
  })

  it('spends nothing of any limit and tells nothing of it when a proof is replayed', async () => {
    await using store = await start()
    const replay = proof(store.nowMs())
    const limits = { rates: [rate('pace', 10)], quotas: [quota('daily', 10)] }
    admitted(await store.admit(admissionDemand({ replay, ...limits })))
    for (let time = 0; time < 5; time++) {
      expect(await store.admit(admissionDemand({ replay, ...limits }))).toEqual({ kind: 'replayed' })
    }
    const next = admitted(await store.admit(admissionDemand(limits)))
    expect(next.limits.map(({ remaining }) => remaining)).toEqual([8, 8])
    expect(next.history.calls1m).toBe(1)
  })

  it('remembers the proof of a call that a limit refused', async () => {
    await using store = await start()
    const rates = [rate('single', 1)]
    admitted(await store.admit(admissionDemand({ rates })))
    const replay = proof(store.nowMs())
    expect(await store.admit(admissionDemand({ rates, replay }))).toMatchObject({ kind: 'limited' })
    expect(await store.admit(admissionDemand({ replay }))).toEqual({ kind: 'replayed' })
  })

  it('remembers the proof of a call by a stopped agent', async () => {
    await using store = await start()
    const agentBreaker = { failures: 1, windowMs: 60_000, openMs: 60_000 }
    admitted(await store.admit(admissionDemand({ agentBreaker }))).settle(DENIED)
    await store.settled()
    const replay = proof(store.nowMs())
    expect(await store.admit(admissionDemand({ agentBreaker, replay }))).toMatchObject({
      kind: 'agent-stopped',
    })
    expect(await store.admit(admissionDemand({ agent: 'issuer:other', replay }))).toEqual({
      kind: 'replayed',
    })
  })

  it('keeps the same proof id of two keys apart', async () => {
    await using store = await start()
    const expiresAtMs = store.nowMs() + 70_000
    admitted(await store.admit(admissionDemand({ replay: { key: 'one:jti', expiresAtMs } })))
    expect(await store.admit(admissionDemand({ replay: { key: 'two:jti', expiresAtMs } }))).toMatchObject({
      kind: 'admitted',
    })
  })
}

export function describeLimits(start: () => Promise<StoreUnderTest>): void {
  it('admits the burst, refuses the next, and admits again after the wait it named', async () => {
    await using store = await start()
    const rates = [rate('pace', 6, 3)]
    for (const remaining of [2, 1, 0]) {
      const { limits } = admitted(await store.admit(admissionDemand({ rates })))
      expect(limits[0]).toMatchObject({ name: 'pace', quota: 6, windowMs: 60_000, remaining })
    }
    const refused = await store.admit(admissionDemand({ rates }))
    expect(refused).toMatchObject({ kind: 'limited', by: 'rate', name: 'pace', retryAfterMs: 10_000 })
    await store.advance(9_999)
    expect(await store.admit(admissionDemand({ rates }))).toMatchObject({ kind: 'limited', retryAfterMs: 1 })
    await store.advance(1)
    admitted(await store.admit(admissionDemand({ rates })))
  })

  it('counts a call in every limit or in none', async () => {
    await using store = await start()
    const wide = rate('wide', 100)
    const daily = quota('daily', 100)
    const narrow = rate('narrow', 1)
    const held = places('held', 100)
    const all = { rates: [wide, narrow], quotas: [daily], concurrency: [held] }
    admitted(await store.admit(admissionDemand(all)))
    for (let time = 0; time < 3; time++) {
      const refused = await store.admit(admissionDemand(all))
      expect(refused).toMatchObject({ kind: 'limited', name: 'narrow' })
    }
    const without = admitted(await store.admit(admissionDemand({ rates: [wide], quotas: [daily] })))
    expect(without.limits.map(({ remaining }) => remaining)).toEqual([98, 98])
  })

  it('names the limit with the longest wait', async () => {
    await using store = await start()
    const limits = { rates: [rate('fast', 60, 1), rate('slow', 1, 1)], quotas: [] }
    admitted(await store.admit(admissionDemand(limits)))
    expect(await store.admit(admissionDemand(limits))).toMatchObject({ name: 'slow', retryAfterMs: 60_000 })
  })

  it('gives a quota back at midnight UTC and not before', async () => {
    await using store = await start()
    const quotas = [quota('daily', 1)]
    const first = admitted(await store.admit(admissionDemand({ quotas })))
    expect(first.limits[0]).toMatchObject({ remaining: 0, windowMs: 86_400_000 })
    const untilMidnightMs = 86_400_000 - (store.nowMs() % 86_400_000)
    await store.advance(untilMidnightMs - 1)
    const refused = await store.admit(admissionDemand({ quotas }))
    expect(refused).toMatchObject({ kind: 'limited', by: 'quota', name: 'daily', retryAfterMs: 1 })
    await store.advance(1)
    admitted(await store.admit(admissionDemand({ quotas })))
  })

  it('does not lock callers out when a limit has been made smaller', async () => {
    await using store = await start()
    for (let time = 0; time < 10; time++)
      admitted(await store.admit(admissionDemand({ rates: [rate('pace', 10)] })))
    const refused = await store.admit(admissionDemand({ rates: [rate('pace', 60, 1)] }))
    expect(refused).toMatchObject({ kind: 'limited', retryAfterMs: 1_000 })
  })
}

export function describeConcurrency(start: () => Promise<StoreUnderTest>): void {
  it('holds a place until the call is settled', async () => {
    await using store = await start()
    const concurrency = [places('two', 2)]
    const first = admitted(await store.admit(admissionDemand({ concurrency })))
    admitted(await store.admit(admissionDemand({ concurrency })))
    const refused = await store.admit(admissionDemand({ concurrency }))
    expect(refused).toMatchObject({ kind: 'limited', by: 'concurrency', name: 'two', retryAfterMs: 1_000 })
    first.settle(SUCCEEDED)
    await store.settled()
    admitted(await store.admit(admissionDemand({ concurrency })))
    expect(await store.admit(admissionDemand({ concurrency }))).toMatchObject({ kind: 'limited' })
  })
}

export function describeAgentBreaker(start: () => Promise<StoreUnderTest>): void {
  const agentBreaker = { failures: 3, windowMs: 60_000, openMs: 120_000 }

  const fail = async (store: StoreUnderTest, times: number): Promise<void> => {
    for (let time = 0; time < times; time++) {
      admitted(await store.admit(admissionDemand({ agentBreaker }))).settle(ERRORED)
      await store.settled()
    }
  }

  it('stops an agent after so many failed calls, for so long, and nobody else', async () => {
    await using store = await start()
    await fail(store, 3)
    const stopped = await store.admit(admissionDemand({ agentBreaker }))
    expect(stopped).toEqual({ kind: 'agent-stopped', retryAfterMs: 120_000 })
    admitted(await store.admit(admissionDemand({ agentBreaker, agent: 'issuer:other' })))
    admitted(await store.admit(admissionDemand({ agentBreaker, tag: '{other}' })))
    await store.advance(119_999)
    expect(await store.admit(admissionDemand({ agentBreaker }))).toMatchObject({ retryAfterMs: 1 })
    await store.advance(1)
    expect(await store.admit(admissionDemand({ agentBreaker }))).toMatchObject({ kind: 'admitted' })
  })

  it('begins to count anew after a stop', async () => {
    await using store = await start()
    await fail(store, 3)
    await store.advance(120_000)
    await fail(store, 2)
    expect(await store.admit(admissionDemand({ agentBreaker }))).toMatchObject({ kind: 'admitted' })
  })

  it('forgets failures that are older than the window', async () => {
    await using store = await start()
    await fail(store, 2)
    await store.advance(70_000)
    await fail(store, 2)
    expect(await store.admit(admissionDemand({ agentBreaker }))).toMatchObject({ kind: 'admitted' })
  })

  it('is not held open by being asked, nor by calls that were in flight when it opened', async () => {
    await using store = await start()
    const inFlight = admitted(await store.admit(admissionDemand({ agentBreaker })))
    await fail(store, 3)
    await store.advance(60_000)
    inFlight.settle(ERRORED)
    await store.settled()
    for (let time = 0; time < 5; time++) await store.admit(admissionDemand({ agentBreaker }))
    await store.advance(60_000)
    await fail(store, 2)
    expect(await store.admit(admissionDemand({ agentBreaker }))).toMatchObject({ kind: 'admitted' })
  })

  it('does not count what a limit refused', async () => {
    await using store = await start()
    const rates = [rate('single', 1)]
    admitted(await store.admit(admissionDemand({ agentBreaker, rates })))
    for (let time = 0; time < 5; time++) await store.admit(admissionDemand({ agentBreaker, rates }))
    expect(await store.admit(admissionDemand({ agentBreaker }))).toMatchObject({ kind: 'admitted' })
  })
}
