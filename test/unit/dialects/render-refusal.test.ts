import { describe, expect, it } from 'vitest'
import { renderRefusal } from '../../../gateway/dialects/dialect.ts'
import type { DialectName } from '../../../gateway/dialects/dialect.ts'
import type { RefusalContext } from '../../../gateway/dialects/problem.ts'
import type { CallId } from '../../../gateway/exchange.ts'
import { REFUSALS } from '../../../gateway/refusal.ts'
import type { Reason, RefusalCode } from '../../../gateway/refusal.ts'

const dialects: DialectName[] = ['github', 'slack', 'atlassian', 'problem']
const codes = Object.keys(REFUSALS) as RefusalCode[]
const reason: Reason = { code: 'group.not_allowed', rule: 'R010', detail: 'devsecops' }

function context(more: Partial<RefusalContext['refusal']> & { code: RefusalCode }): RefusalContext {
  return { refusal: more, callId: 'call-1' as CallId, limits: [], nowMs: Date.UTC(2026, 10, 21) }
}

function bodyOf(dialect: DialectName, of: RefusalContext): Record<string, unknown> {
  return JSON.parse(renderRefusal(dialect, of).body.toString()) as Record<string, unknown>
}

describe.each(dialects)('the %s dialect', (dialect) => {
  it.each(codes)('carries every RFC 9457 member for %s, and never what the log alone may say', (code) => {
    const body = bodyOf(dialect, context({ code, detail: 'which check failed', cause: new Error('secret') }))
    expect(body).toMatchObject({
      type: `urn:toolgate:refusal:${code}`,
      title: REFUSALS[code].title,
      status: REFUSALS[code].status,
      detail: expect.stringMatching(/\.$/) as string,
      code,
      call_id: 'call-1',
      reasons: [],
    })
    expect(JSON.stringify(body)).not.toMatch(/which check failed|secret/)
  })

  it('tells the reasons that policy gave, as codes and as sentences', () => {
    const body = bodyOf(dialect, context({ code: 'policy.denied', reasons: [reason] }))
    expect(body).toMatchObject({
      reasons: [reason],
      detail: 'None of the groups of the principal may use this tool. The same call will be refused again.',
    })
  })

  it('shows no more than sixteen reasons', () => {
    const body = bodyOf(
      dialect,
      context({ code: 'policy.denied', reasons: Array.from({ length: 40 }, () => reason) }),
    )
    expect(body['reasons']).toHaveLength(16)
  })

  it('rounds a wait up to whole seconds', () => {
    expect(bodyOf(dialect, context({ code: 'limit.rate', retryAfterMs: 1001 }))).toMatchObject({
      retry_after: 2,
    })
    expect(bodyOf(dialect, context({ code: 'limit.rate', retryAfterMs: 0 }))).toMatchObject({
      retry_after: 1,
    })
  })

  it('names no wait where waiting does not help', () => {
    expect(bodyOf(dialect, context({ code: 'policy.denied', retryAfterMs: 1000 }))).not.toHaveProperty(
      'retry_after',
    )
  })
})

describe('the slack dialect', () => {
  it('says 429 only for a wait that the SDK may sleep through', () => {
    expect(renderRefusal('slack', context({ code: 'limit.rate', retryAfterMs: 60_000 })).status).toBe(429)
    expect(renderRefusal('slack', context({ code: 'limit.quota', retryAfterMs: 61_000 })).status).toBe(200)
    expect(renderRefusal('slack', context({ code: 'limit.rate' })).status).toBe(200)
  })
})

describe('the atlassian dialect', () => {
  it('gives jira-python the five headers it reads on 429', () => {
    const limits = [
      { name: 'hour', quota: 600, windowMs: 3_600_000, remaining: 300, resetMs: 1 },
      { name: 'burst', quota: 60, windowMs: 60_000, remaining: 0, resetMs: 1 },
    ]
    const of = { ...context({ code: 'limit.rate', retryAfterMs: 5000 }), limits }
    const { headers } = renderRefusal('atlassian', of)
    expect(headers.join(' ')).toBe(
      'Content-Type application/json; charset=utf-8 X-RateLimit-Limit 60 X-RateLimit-Remaining 0 ' +
        'X-RateLimit-Reset 2026-11-21T00:00:05.000Z X-RateLimit-FillRate 60 X-RateLimit-Interval-Seconds 60',
    )
  })

  it('gives them from the wait alone where no limit is known', () => {
    const { headers } = renderRefusal(
      'atlassian',
      context({ code: 'breaker.agent_open', retryAfterMs: 5000 }),
    )
    expect(headers).toContain('X-RateLimit-FillRate')
  })
})
