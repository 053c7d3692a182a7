import { describe, expect, it } from 'vitest'
import type { OutcomeCode } from '../../../gateway/outcome.ts'
import { feedbackOf, spendEndOf, upstreamResultOf } from '../../../gateway/limits/feedback.ts'

const settlement = (outcome: OutcomeCode, upstreamStatus = 0): Parameters<typeof feedbackOf>[0] => ({
  outcome,
  attempted: true,
  upstreamStatus,
  upstreamMs: 12,
})

describe('a failed call of an agent', () => {
  it.each([
    ['policy.denied', 0],
    ['request.body_invalid', 0],
    ['allowed', 500],
    ['allowed', 503],
    ['allowed', 400],
    ['allowed', 403],
    ['allowed', 404],
    ['allowed', 422],
  ] as const)('is %s with upstream status %i', (outcome, status) => {
    expect(feedbackOf(settlement(outcome, status)).failed).toBe(true)
  })

  it.each([
    ['allowed', 200],
    ['allowed', 304],
    ['allowed', 401],
    ['allowed', 409],
    ['allowed', 429],
    ['approval.required', 0],
    ['limit.rate', 0],
    ['breaker.agent_open', 0],
    ['store.unavailable', 0],
    ['upstream.unreachable', 0],
    ['upstream.timeout', 0],
    ['credential.unavailable', 0],
    ['client.gone', 200],
    ['gateway.fault', 0],
  ] as const)('is not %s with upstream status %i', (outcome, status) => {
    expect(feedbackOf(settlement(outcome, status)).failed).toBe(false)
  })
})

describe('a write', () => {
  it.each([
    ['policy.denied', 0, false],
    ['approval.required', 0, false],
    ['audit.unavailable', 0, false],
    ['upstream.address_denied', 0, true],
    ['upstream.timeout', 0, true],
    ['upstream.unreachable', 0, true],
    ['client.gone', 0, true],
    ['gateway.fault', 0, true],
    ['allowed', 500, true],
  ] as const)(
    'that ended as %s with upstream status %i may have happened: %s',
    (outcome, status, forwarded) => {
      expect(feedbackOf(settlement(outcome, status)).forwarded).toBe(forwarded)
    },
  )
})

describe('the health of an upstream', () => {
  it.each([
    ['allowed', 200, 'success'],
    ['allowed', 404, 'success'],
    ['allowed', 429, 'success'],
    ['allowed', 500, 'failure'],
    ['upstream.timeout', 0, 'failure'],
    ['upstream.unreachable', 0, 'failure'],
    ['upstream.protocol', 0, 'failure'],
    ['upstream.truncated', 200, 'failure'],
    ['policy.denied', 0, 'none'],
    ['credential.unavailable', 0, 'none'],
    ['upstream.address_denied', 0, 'none'],
    ['client.gone', 0, 'none'],
    ['client.gone', 200, 'success'],
  ] as const)('after %s with status %i is a %s', (outcome, status, result) => {
    expect(upstreamResultOf(settlement(outcome, status))).toBe(result)
  })
})

describe('a call that was never handed to the upstream', () => {
  it.each(['client.gone', 'gateway.fault', 'request.timeout'] as const)(
    'did not happen, ended as %s',
    (outcome) => {
      const end = { ...settlement(outcome), attempted: false }
      expect(feedbackOf(end).forwarded).toBe(false)
      expect(spendEndOf(end)).toBe('released')
    },
  )
})

describe('the sum that a call reserved', () => {
  it.each([
    ['allowed', 200],
    ['allowed', 202],
    ['allowed', 302],
    ['allowed', 408],
    ['allowed', 409],
    ['allowed', 425],
    ['allowed', 500],
    ['allowed', 503],
    ['upstream.timeout', 0],
    ['upstream.unreachable', 0],
    ['upstream.protocol', 0],
    ['upstream.truncated', 200],
    ['client.gone', 0],
    ['gateway.fault', 0],
  ] as const)('stays spent after %s with upstream status %i: it may have moved', (outcome, status) => {
    expect(spendEndOf(settlement(outcome, status))).toBe('kept')
  })

  it.each([
    ['policy.denied', 0],
    ['approval.required', 0],
    ['credential.unavailable', 0],
    ['audit.unavailable', 0],
    ['gateway.overloaded', 0],
    ['allowed', 402],
    ['allowed', 422],
    ['allowed', 429],
  ] as const)('is given back after %s with upstream status %i: it did not move', (outcome, status) => {
    expect(spendEndOf(settlement(outcome, status))).toBe('released')
  })
})
