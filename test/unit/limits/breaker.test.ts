import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Breaker, type BreakerState } from '../../../gateway/limits/breaker.ts'
import { createUpstreamBreakers } from '../../../gateway/limits/upstream-breakers.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

const SETTINGS = { failures: 3, windowMs: 10_000, openMs: 5_000, halfOpenCalls: 2 }

function enter(breaker: Breaker, nowMs: number): number {
  const entry = breaker.enter(nowMs)
  if (!entry.admitted) throw new Error(`refused for ${entry.retryAfterMs} ms`)
  return entry.generation
}

function fail(breaker: Breaker, nowMs: number, times = 1): void {
  for (let time = 0; time < times; time++) breaker.leave(enter(breaker, nowMs), 'failure', nowMs)
}

function succeed(breaker: Breaker, nowMs: number, times = 1): void {
  for (let time = 0; time < times; time++) breaker.leave(enter(breaker, nowMs), 'success', nowMs)
}

describe('a breaker', () => {
  it('opens after so many failures and names the time until it tries again', () => {
    const breaker = new Breaker(SETTINGS)
    fail(breaker, 1_000, 2)
    expect(breaker.state).toBe('closed')
    fail(breaker, 1_000)
    expect(breaker.enter(2_000)).toEqual({ admitted: false, retryAfterMs: 4_000 })
  })

  it('forgets failures older than its window', () => {
    const breaker = new Breaker(SETTINGS)
    fail(breaker, 0, 2)
    fail(breaker, 12_000, 2)
    expect(breaker.state).toBe('closed')
  })

  it('stays closed while failures are the smaller part of the calls', () => {
    const breaker = new Breaker(SETTINGS)
    succeed(breaker, 0, 100)
    fail(breaker, 0, 99)
    expect(breaker.state).toBe('closed')
    fail(breaker, 0)
    expect(breaker.state).toBe('open')
  })

  it('never opens for calls that say nothing of the upstream', () => {
    const breaker = new Breaker(SETTINGS)
    for (let time = 0; time < 50; time++) breaker.leave(enter(breaker, 0), 'none', 0)
    expect(breaker.state).toBe('closed')
  })

  it('lets a limited number of probes through, and closes when they succeed', () => {
    const breaker = new Breaker(SETTINGS)
    fail(breaker, 0, 3)
    const probes = [enter(breaker, 5_000), enter(breaker, 5_000)]
    expect(breaker.enter(5_000)).toEqual({ admitted: false, retryAfterMs: 1_000 })
    for (const probe of probes) breaker.leave(probe, 'success', 5_100)
    expect(breaker.state).toBe('closed')
    fail(breaker, 5_200, 2)
    expect(breaker.state).toBe('closed')
  })

  it('opens again when a probe fails, and ignores what the other probe says later', () => {
    const breaker = new Breaker(SETTINGS)
    fail(breaker, 0, 3)
    const [first, second] = [enter(breaker, 5_000), enter(breaker, 5_000)]
    breaker.leave(first, 'failure', 5_100)
    breaker.leave(second, 'success', 5_200)
    expect(breaker.enter(10_099)).toEqual({ admitted: false, retryAfterMs: 1 })
    enter(breaker, 10_100)
    expect(breaker.state).toBe('half-open')
  })

  it('gives the place of a probe back that never reached the upstream', () => {
    const breaker = new Breaker({ ...SETTINGS, halfOpenCalls: 1 })
    fail(breaker, 0, 3)
    for (let time = 0; time < 10; time++) breaker.leave(enter(breaker, 5_000), 'none', 5_000)
    succeed(breaker, 5_000)
    expect(breaker.state).toBe('closed')
  })

  it('takes the place of a probe away that keeps it as long as the breaker was open', () => {
    const breaker = new Breaker({ ...SETTINGS, halfOpenCalls: 1 })
    fail(breaker, 0, 3)
    const hostage = enter(breaker, 5_000)
    expect(breaker.enter(9_999)).toMatchObject({ admitted: false })
    const next = enter(breaker, 10_000)
    breaker.leave(hostage, 'none', 10_001)
    expect(breaker.enter(10_002)).toMatchObject({ admitted: false })
    breaker.leave(next, 'success', 10_003)
    expect(breaker.state).toBe('closed')
  })

  describe('while the upstream serves others', () => {
    const leave = (breaker: Breaker, result: 'success' | 'failure', agent: string, nowMs: number): void =>
      breaker.leave(enter(breaker, nowMs), result, nowMs, agent)

    it('stays closed for one agent that fails alone', () => {
      const breaker = new Breaker(SETTINGS)
      leave(breaker, 'success', 'other', 0)
      for (let time = 0; time < 20; time++) leave(breaker, 'failure', 'hostile', 1)
      expect(breaker.state).toBe('closed')
    })

    it('opens once two agents fail', () => {
      const breaker = new Breaker(SETTINGS)
      leave(breaker, 'success', 'other', 0)
      for (let time = 0; time < 3; time++) leave(breaker, 'failure', 'hostile', 1)
      leave(breaker, 'failure', 'other', 2)
      expect(breaker.state).toBe('open')
    })

    it('opens for one agent once the others have not been served for a window', () => {
      const breaker = new Breaker(SETTINGS)
      leave(breaker, 'success', 'other', 0)
      for (let time = 0; time < 3; time++) leave(breaker, 'failure', 'hostile', SETTINGS.windowMs)
      expect(breaker.state).toBe('open')
    })
  })

  it('ignores calls from before it opened', () => {
    const breaker = new Breaker(SETTINGS)
    const slow = enter(breaker, 0)
    fail(breaker, 0, 3)
    breaker.leave(slow, 'success', 100)
    expect(breaker.state).toBe('open')
  })

  it('never has more probes in flight than allowed and never gets stuck, whatever happens', () => {
    const step = fc.record({
      gapMs: fc.nat(6_000),
      result: fc.constantFrom('success', 'failure', 'none'),
      hold: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const breaker = new Breaker(SETTINGS)
        const held: number[] = []
        let probes: { generation: number; enteredMs: number }[] = []
        let nowMs = 0
        for (const { gapMs, result, hold } of steps) {
          nowMs += gapMs
          const entry = breaker.enter(nowMs)
          if (!entry.admitted) continue
          const { generation } = entry
          const probing = breaker.state === 'half-open'
          // A probe that takes as long as the breaker stays open no longer keeps its place.
          probes = probes.filter(
            (probe) => probe.generation === generation && nowMs - probe.enteredMs < SETTINGS.openMs,
          )
          expect(probing ? probes.length : 0).toBeLessThan(SETTINGS.halfOpenCalls)
          if (hold) {
            held.push(generation)
            if (probing) probes.push({ generation, enteredMs: nowMs })
            continue
          }
          breaker.leave(generation, result, nowMs)
        }
        for (const generation of held) breaker.leave(generation, 'none', nowMs)
        succeed(breaker, nowMs + SETTINGS.openMs, SETTINGS.halfOpenCalls)
        expect(breaker.state).toBe('closed')
      }),
    )
  })
})

describe('the breakers of upstreams', () => {
  it('tells every change of state, per upstream', () => {
    const changes: [string, BreakerState['kind']][] = []
    const breakers = createUpstreamBreakers({
      settings: SETTINGS,
      clock: virtualClock(),
      onChange: (upstream, state) => changes.push([upstream, state]),
    })
    fail(breakers.of('github'), 0, 3)
    succeed(breakers.of('github'), 5_000, 2)
    expect(changes).toEqual([
      ['github', 'open'],
      ['github', 'half-open'],
      ['github', 'closed'],
    ])
    expect(breakers.of('jira').state).toBe('closed')
  })

  it('does not grow without bound', () => {
    const breakers = createUpstreamBreakers({ settings: SETTINGS, clock: virtualClock() })
    for (let index = 0; index < 5_000; index++) breakers.of(`upstream-${index}`)
    expect(breakers.states().size).toBe(1_024)
  })
})
