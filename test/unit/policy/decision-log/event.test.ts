import { describe, expect, it } from 'vitest'
import { HeaderList } from '../../../../gateway/lib/header-list.ts'
import type { Decision } from '../../../../gateway/policy/decision.ts'
import { decisionDocument } from '../../../../gateway/policy/decision-log/decision-document.ts'
import { decisionEvent, madeDecision } from '../../../../gateway/policy/decision-log/event.ts'
import { parseDecision } from '../../../../gateway/policy/parse-decision.ts'
import { pass, refuse } from '../../../../gateway/refusal.ts'
import { FRIEND } from '../../../harness/opa.ts'
import { eventProblems } from '../../../harness/opa-messages.ts'
import { aCall } from '../call.ts'
import { aDecision } from './an-event.ts'

const LABELS = { region: 'eu', id: '0a9e3f0e-5a55-4b55-8bd5-0f7d3f5f3a10', version: '1' }
const ALLOW: Decision = { allow: true, risk: 2, reasons: [], reported: [], obligations: [] }
const NOTIFY = { id: 'n', type: 'notify', properties: { groups: ['g'] } } as const
const APPROVAL = {
  id: 'a',
  type: 'approval',
  properties: {
    groups: ['g'],
    count: 1,
    distinct: true,
    ttlSeconds: 60,
    escalationGroup: 'h',
    escalateAfterSeconds: 30,
    excluded: ['o'],
  },
} as const

describe('an event', () => {
  it('has the fields of an allow, and nothing that OPA does not know', () => {
    const event = decisionEvent(aDecision(), LABELS, 7)
    expect(eventProblems(JSON.parse(JSON.stringify(event)))).toEqual([])
    expect(event).toEqual({
      labels: LABELS,
      decision_id: '019aa5b2-0000-7000-8000-000000000000',
      trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
      span_id: '00f067aa0ba902b7',
      bundles: { policy: { revision: 'r' } },
      path: 'gateway/decision/decision',
      input: FRIEND,
      result: { allow: true, risk: 1, reasons: [], reported: [], obligations: [] },
      requested_by: '127.0.0.1',
      timestamp: '2026-11-23T09:00:00.001500000Z',
      metrics: {
        timer_rego_input_parse_ns: 250_000,
        timer_rego_query_eval_ns: 250_000,
        timer_server_handler_ns: 1_500_000,
      },
      req_id: 7,
      custom: { toolgate: { effect: 'allow', policy_digest: 'sha256:0' } },
    })
  })

  it('names the rules of a deny once each', () => {
    const reason = { code: 'hours.closed', rule: 'R043' } as const
    const reasons = [
      { ...reason, detail: 'a' },
      { ...reason, detail: 'b' },
    ]
    const event = decisionEvent(aDecision({ verdict: pass({ ...ALLOW, allow: false, reasons }) }), LABELS, 1)
    expect(event).toMatchObject({
      result: { allow: false, reasons },
      rule_labels: [{ id: 'R043', code: 'hours.closed' }],
      custom: { toolgate: { effect: 'deny' } },
    })
    expect(eventProblems(event)).toEqual([])
  })

  it('tells a hold from an allow', () => {
    const effectOf = (...obligations: Decision['obligations']): unknown =>
      decisionEvent(aDecision({ verdict: pass({ ...ALLOW, obligations }) }), LABELS, 1).custom.toolgate.effect
    expect(effectOf(NOTIFY)).toBe('allow')
    expect(effectOf(NOTIFY, APPROVAL)).toBe('hold')
  })

  it.each(['policy.error', 'policy.invalid', 'policy.unavailable'] as const)(
    'has the error of %s',
    (code) => {
      const cause = new Error('eval_conflict_error: decision.rego:3')
      const event = decisionEvent(aDecision({ verdict: refuse(code, { cause }) }), LABELS, 1)
      expect(event.error).toEqual({
        code,
        message: expect.stringContaining('eval_conflict_error') as unknown,
      })
      expect(event).toMatchObject({ input: FRIEND, custom: { toolgate: { effect: 'deny', code } } })
      expect(event).not.toHaveProperty('result')
      expect(eventProblems(event)).toEqual([])
    },
  )

  it('keeps secrets out of the error', () => {
    const detail = 'Bearer abcdefgh12345678'
    const event = decisionEvent(aDecision({ verdict: refuse('policy.invalid', { detail }) }), LABELS, 1)
    expect(event.error?.message).not.toContain('abcdefgh')
  })

  it('is without an input that no rule could be shown, the rules of the mask included', () => {
    const event = decisionEvent(aDecision({ verdict: refuse('policy.input_invalid') }), LABELS, 1)
    expect(event).not.toHaveProperty('input')
    expect(event.erased).toEqual(['/input'])
  })

  it('leaves off a trace that there is none of', () => {
    const event = decisionEvent(aDecision({ traceId: '', spanId: '' }), LABELS, 1)
    expect(event).not.toHaveProperty('trace_id')
    expect(eventProblems(event)).toEqual([])
  })

  it('has the headers that were asked for, by the names that were given, without what looks like a secret', () => {
    const headers = new HeaderList([
      'user-agent',
      'x',
      'X-Team',
      'a',
      'x-team',
      'Bearer abcdefgh12345678',
      'host',
      'h',
    ])
    const decision = madeDecision({ ...aCall(), headers }, aDecision(), ['User-Agent', 'x-team', 'x-absent'])
    const event = decisionEvent(decision, LABELS, 1)
    expect(event.request_context).toEqual({
      http: { headers: { 'User-Agent': ['x'], 'x-team': ['a', '[removed]'] } },
    })
    expect(eventProblems(event)).toEqual([])
    expect(madeDecision(aCall(), aDecision(), ['x-absent']).headers).toBeUndefined()
  })

  it('has a decision that reads as the one that was made', () => {
    const decision: Decision = {
      ...ALLOW,
      obligations: [
        APPROVAL,
        { id: 'b', type: 'cap_bytes', properties: { maxBytes: 5 } },
        { id: 'c', type: 'limit', properties: { name: 'l' } },
        NOTIFY,
        { id: 'p', type: 'post_review', properties: { groups: ['g'], ttlSeconds: 9, excluded: ['o'] } },
        { id: 'r', type: 'redact', properties: { pointers: ['/a'] } },
      ],
    }
    expect(parseDecision([{ result: decisionDocument(decision) }])).toEqual({ ok: true, decision })
  })
})
