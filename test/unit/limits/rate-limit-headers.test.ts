import * as fc from 'fast-check'
import { parseList, type Item } from 'structured-headers'
import { describe, expect, it } from 'vitest'
import { rateLimitHeaders } from '../../../gateway/limits/rate-limit-headers.ts'

const state = fc.record({
  name: fc.string({ unit: 'binary', minLength: 1, maxLength: 64 }),
  quota: fc.nat(1_000_000_000),
  windowMs: fc.integer({ min: 1, max: 86_400_000 }),
  remaining: fc.integer({ min: -5, max: 1_000_000 }),
  resetMs: fc.nat(86_400_000),
})

describe('rateLimitHeaders', () => {
  it('writes policy and state of each limit, seconds rounded up', () => {
    const states = [
      { name: 'burst', quota: 100, windowMs: 60_000, remaining: 50, resetMs: 29_001 },
      { name: 'daily', quota: 5_000, windowMs: 86_400_000, remaining: 4_999, resetMs: 3_600_000 },
    ]
    expect(rateLimitHeaders(states)).toEqual([
      'RateLimit-Policy',
      '"burst";q=100;w=60, "daily";q=5000;w=86400',
      'RateLimit',
      '"burst";r=50;t=30, "daily";r=4999;t=3600',
    ])
  })

  it('tells limits of one name apart, as after a change of the configuration', () => {
    const burst = { name: 'burst', quota: 100, windowMs: 60_000, remaining: 50, resetMs: 29_001 }
    const policyOf = (state: typeof burst): string | undefined => rateLimitHeaders([state])[1]
    expect(policyOf(burst)).toBe('"burst";q=100;w=60')
    expect(policyOf({ ...burst, quota: 99 })).toBe('"burst";q=99;w=60')
    expect(policyOf({ ...burst, windowMs: 1_000 })).toBe('"burst";q=100;w=1')
    expect(policyOf(burst)).toBe('"burst";q=100;w=60')
  })

  it('writes nothing without limits', () => {
    expect(rateLimitHeaders([])).toEqual([])
  })

  it('is always a structured list of strings with integer parameters, whatever the limit is called', () => {
    fc.assert(
      fc.property(fc.array(state, { minLength: 1, maxLength: 5 }), (states) => {
        const [, policy = '', , limit = ''] = rateLimitHeaders(states)
        for (const [text, names] of [
          [policy, ['q', 'w']],
          [limit, ['r', 't']],
        ] as const) {
          const items = parseList(text) as Item[]
          expect(items).toHaveLength(states.length)
          for (const [name, parameters] of items) {
            expect(typeof name).toBe('string')
            expect([...parameters.keys()]).toEqual(names)
            for (const value of parameters.values())
              expect(Number.isInteger(value) && Number(value) >= 0).toBe(true)
          }
        }
      }),
    )
  })
})
