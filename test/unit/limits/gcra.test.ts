import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gcra, gcraRemaining, rateLimit, type RateLimit } from '../../../gateway/limits/gcra.ts'

const limits = fc
  .record({
    calls: fc.integer({ min: 1, max: 1_000_000 }),
    windowMs: fc.integer({ min: 1, max: 86_400_000 }),
    burst: fc.integer({ min: 1, max: 1_000 }),
  })
  .map((limit) => rateLimit({ name: 'pace', ...limit }))

/** Gaps between calls: none, short against the interval, long against the window. */
const gapsUs = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5_000 }), fc.nat(200_000_000)), {
  minLength: 1,
  maxLength: 300,
})

const START_US = Date.UTC(2026, 10, 21) * 1000

/** The textbook token bucket with a float level: another way to the same answers. */
function tokenBucket(limit: RateLimit): (nowUs: number) => boolean {
  let tokens = limit.burst
  let lastUs = START_US
  return (nowUs) => {
    tokens = Math.min(limit.burst, tokens + (nowUs - lastUs) / limit.intervalUs)
    lastUs = nowUs
    // A level of 0.9999999 is a whole token that lost its last bit.
    if (tokens < 1 - 1e-6) return false
    tokens -= 1
    return true
  }
}

function run(
  limit: RateLimit,
  gaps: readonly number[],
): { nowUs: number; allowed: boolean; waitUs: number }[] {
  let tatUs = 0
  let nowUs = START_US
  return gaps.map((gap) => {
    nowUs += gap
    const state = gcra(limit, tatUs, nowUs)
    const allowed = state.waitUs === 0
    if (allowed) tatUs = state.tatUs + limit.intervalUs
    return { nowUs, allowed, waitUs: state.waitUs }
  })
}

describe('gcra', () => {
  it('never allows more than the burst and the rate in any span of time', () => {
    fc.assert(
      fc.property(limits, gapsUs, (limit, gaps) => {
        const allowed = run(limit, gaps).filter((call) => call.allowed)
        for (const [from, first] of allowed.entries()) {
          for (const [to, last] of allowed.entries()) {
            if (to < from) continue
            const spanUs = last.nowUs - first.nowUs
            expect(to - from + 1).toBeLessThanOrEqual(limit.burst + Math.floor(spanUs / limit.intervalUs))
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  it('answers as a token bucket does', () => {
    fc.assert(
      fc.property(limits, gapsUs, (limit, gaps) => {
        const bucket = tokenBucket(limit)
        for (const { nowUs, allowed } of run(limit, gaps)) expect(allowed).toBe(bucket(nowUs))
      }),
    )
  })

  it('starves nobody: whoever waits as long as told is let in', () => {
    fc.assert(
      fc.property(limits, gapsUs, (limit, gaps) => {
        let tatUs = 0
        let nowUs = START_US
        for (const gap of gaps) {
          nowUs += gap
          const { waitUs } = gcra(limit, tatUs, nowUs)
          nowUs += waitUs
          const retried = gcra(limit, tatUs, nowUs)
          expect(retried.waitUs).toBe(0)
          tatUs = retried.tatUs + limit.intervalUs
        }
      }),
    )
  })

  it('is monotone: time never makes the wait longer or the remaining calls fewer', () => {
    fc.assert(
      fc.property(
        limits,
        fc.nat(2_000_000_000),
        fc.nat(2_000_000_000),
        fc.nat(1_000_000_000),
        (limit, ahead, gap, more) => {
          const tatUs = START_US + ahead
          const early = START_US + gap
          const late = early + more
          expect(gcra(limit, tatUs, late).waitUs).toBeLessThanOrEqual(gcra(limit, tatUs, early).waitUs)
          expect(gcraRemaining(limit, tatUs, late)).toBeGreaterThanOrEqual(gcraRemaining(limit, tatUs, early))
        },
      ),
    )
  })

  it('says how many calls are left exactly', () => {
    fc.assert(
      fc.property(limits, fc.nat(2_000_000_000), (limit, ahead) => {
        let { tatUs } = gcra(limit, START_US + ahead, START_US)
        const remaining = gcraRemaining(limit, tatUs, START_US)
        for (let call = 0; call < remaining; call++) {
          const state = gcra(limit, tatUs, START_US)
          expect(state.waitUs).toBe(0)
          tatUs = state.tatUs + limit.intervalUs
        }
        expect(gcra(limit, tatUs, START_US).waitUs).toBeGreaterThan(0)
      }),
    )
  })

  it('bounds the lockout when the clock jumps back by a year', () => {
    const limit = rateLimit({ name: 'pace', calls: 60, windowMs: 60_000, burst: 10 })
    const { waitUs } = gcra(limit, START_US + 31_536_000_000_000, START_US)
    expect(waitUs).toBe(limit.intervalUs)
  })

  it.each([
    ['7 calls a second', { calls: 7, windowMs: 1_000, burst: 1 }, 142_858],
    ['more calls than microseconds', { calls: 1_000_000, windowMs: 1, burst: 1 }, 1],
    ['one call a day', { calls: 1, windowMs: 86_400_000, burst: 1 }, 86_400_000_000],
  ])('rounds the interval of %s up', (_name, limit, intervalUs) => {
    expect(rateLimit({ name: 'pace', ...limit }).intervalUs).toBe(intervalUs)
  })
})
