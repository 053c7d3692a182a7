import { describe, expect, test } from 'vitest'
import { parseDecision } from '../../../gateway/policy/parse-decision.ts'
import { BOUNDARY_REASONS } from '../../../gateway/policy/reasons.ts'

const APPROVAL = {
  id: 'R060',
  type: 'approval',
  properties: {
    groups: ['b', 'a', 'b'],
    count: 2,
    distinct: true,
    ttl_seconds: 60,
    escalation_group: 'c',
    escalate_after_seconds: 0,
  },
}
const ALLOW = { allow: true, risk: 4, reasons: [], obligations: [] }
const DENY = {
  allow: false,
  risk: 0,
  reasons: [{ code: 'agent.unknown', rule: 'R001', detail: '' }],
  obligations: [],
}

function reason(code = 'hours.closed'): object {
  return { code, rule: 'R043', detail: '' }
}

function withApproval(change: object): unknown {
  return [
    {
      result: { ...ALLOW, obligations: [{ ...APPROVAL, properties: { ...APPROVAL.properties, ...change } }] },
    },
  ]
}

describe('a well-formed result', () => {
  test('names who may not answer, each once', () => {
    const parsed = parseDecision(withApproval({ excluded: ['rui', 'kim', 'rui'] }))
    expect(parsed.ok && parsed.decision.obligations).toMatchObject([
      { properties: { excluded: ['kim', 'rui'] } },
    ])
  })

  test('is the decision', () => {
    expect(parseDecision([{ result: ALLOW }])).toEqual({ ok: true, decision: { ...ALLOW, reported: [] } })
    expect(parseDecision([{ result: DENY }])).toEqual({ ok: true, decision: { ...DENY, reported: [] } })
  })

  test('may allow a call, and tell what rules in report mode would have denied', () => {
    const reported = [
      { code: 'ticket.required', rule: 'R040', detail: '' },
      { code: 'hours.closed', rule: 'R043', detail: '' },
    ]
    expect(parseDecision([{ result: { ...ALLOW, reported: reported.toReversed() } }])).toEqual({
      ok: true,
      decision: { ...ALLOW, reported },
    })
  })

  test('has its reasons sorted by rule, code and detail', () => {
    const reasons = [
      { code: 'ticket.required', rule: 'R040', detail: 'b' },
      { code: 'ticket.required', rule: 'R040', detail: 'a' },
      { code: 'ticket.invalid', rule: 'R040', detail: 'z' },
      { code: 'agent.unknown', rule: 'R001', detail: '' },
    ]
    const parsed = parseDecision([{ result: { ...DENY, reasons } }])
    expect(
      parsed.ok && parsed.decision.reasons.map(({ rule, code, detail }) => `${rule} ${code} ${detail}`),
    ).toEqual([
      'R001 agent.unknown ',
      'R040 ticket.invalid z',
      'R040 ticket.required a',
      'R040 ticket.required b',
    ])
  })

  test('has its details cut, never in the middle of a character', () => {
    const detail = `${'x'.repeat(511)}😀`
    const parsed = parseDecision([
      { result: { ...DENY, reasons: [{ code: 'agent.unknown', rule: 'R001', detail }] } },
    ])
    expect(parsed.ok && parsed.decision.reasons[0]?.detail).toBe(`${'x'.repeat(511)}\ufffd`)
  })

  test('has obligations in the words of the gateway', () => {
    const parsed = parseDecision(withApproval({}))
    expect(parsed.ok && parsed.decision.obligations).toEqual([
      {
        id: 'R060',
        type: 'approval',
        properties: {
          groups: ['a', 'b'],
          count: 2,
          distinct: true,
          ttlSeconds: 60,
          escalationGroup: 'c',
          escalateAfterSeconds: 0,
          excluded: [],
        },
      },
    ])
  })

  test.each([
    ['cap_bytes', { max_bytes: 10 }, { maxBytes: 10 }],
    ['redact', { pointers: ['/b', '/a'] }, { pointers: ['/a', '/b'] }],
    ['post_review', { groups: ['a'], ttl_seconds: 5 }, { groups: ['a'], ttlSeconds: 5, excluded: [] }],
    [
      'post_review',
      { groups: ['a'], ttl_seconds: 5, excluded: ['o'] },
      { groups: ['a'], ttlSeconds: 5, excluded: ['o'] },
    ],
    ['notify', { groups: ['a'] }, { groups: ['a'] }],
    ['limit', { name: 'slow' }, { name: 'slow' }],
  ])('may oblige to %s', (type, given, properties) => {
    const parsed = parseDecision([
      { result: { ...ALLOW, obligations: [{ id: 'R1', type, properties: given }] } },
    ])
    expect(parsed.ok && parsed.decision.obligations).toEqual([{ id: 'R1', type, properties }])
  })
})

describe('what holds the boundary', () => {
  test.each([...BOUNDARY_REASONS])('cannot be reported: %s', (code) => {
    expect(parseDecision([{ result: { ...ALLOW, reported: [reason(code)] } }])).toEqual({
      ok: false,
      problem: `${code} is only reported, and has to deny`,
    })
  })
})

describe('anything else is no decision:', () => {
  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['an empty result set', []],
    ['two results', [{ result: ALLOW }, { result: ALLOW }]],
    ['a result set that is an object', { 0: { result: ALLOW }, length: 1 }],
    ['a result without its name', [ALLOW]],
    ['a result with more than itself', [{ result: ALLOW, other: 1 }]],
    ['true', [{ result: true }]],
    ['null', [{ result: null }]],
    ['a list', [{ result: [ALLOW] }]],
    ['allow as a text', [{ result: { ...ALLOW, allow: 'true' } }]],
    ['allow as a number', [{ result: { ...ALLOW, allow: 1 } }]],
    ['no allow', [{ result: { risk: 0, reasons: [], obligations: [] } }]],
    ['allow by inheritance', [{ result: Object.create(ALLOW) as unknown }]],
    ['no reasons', [{ result: { allow: true, risk: 0, obligations: [] } }]],
    ['no obligations', [{ result: { allow: true, risk: 0, reasons: [] } }]],
    ['no risk', [{ result: { allow: true, reasons: [], obligations: [] } }]],
    ['a risk beyond ten', [{ result: { ...ALLOW, risk: 11 } }]],
    ['a negative risk', [{ result: { ...ALLOW, risk: -1 } }]],
    ['a risk that is no number', [{ result: { ...ALLOW, risk: Number.NaN } }]],
    ['a member that is not known', [{ result: { ...ALLOW, effect: 'deny' } }]],
    ['an allow with a reason against it', [{ result: { ...ALLOW, reasons: DENY.reasons } }]],
    ['a report as an object', [{ result: { ...ALLOW, reported: {} } }]],
    ['a report of null', [{ result: { ...ALLOW, reported: null } }]],
    ['a report of a code that is not known', [{ result: { ...ALLOW, reported: [reason('x.y')] } }]],
    ['a report beside a member that is not known', [{ result: { ...ALLOW, reported: [], mode: 'x' } }]],
    ['too long a report', [{ result: { ...ALLOW, reported: Array.from({ length: 65 }, () => reason()) } }]],
    ['reasons as an object', [{ result: { ...DENY, reasons: {} } }]],
    [
      'a reason code that is not known',
      [{ result: { ...DENY, reasons: [{ code: 'x.y', rule: 'R1', detail: '' }] } }],
    ],
    [
      'a reason code of the prototype',
      [{ result: { ...DENY, reasons: [{ code: 'toString', rule: 'R1', detail: '' }] } }],
    ],
    ['a reason without a rule', [{ result: { ...DENY, reasons: [{ code: 'agent.unknown', detail: '' }] } }]],
    ['a reason that is a text', [{ result: { ...DENY, reasons: ['agent.unknown'] } }]],
    [
      'too many reasons',
      [{ result: { ...DENY, reasons: Array.from({ length: 65 }, () => DENY.reasons[0]) } }],
    ],
    [
      'too many obligations',
      [{ result: { ...ALLOW, obligations: Array.from({ length: 17 }, () => APPROVAL) } }],
    ],
    ['an obligation twice', [{ result: { ...ALLOW, obligations: [APPROVAL, APPROVAL] } }]],
    ['an unknown obligation', [{ result: { ...ALLOW, obligations: [{ ...APPROVAL, type: 'step_up' }] } }]],
    [
      'an obligation of the prototype',
      [{ result: { ...ALLOW, obligations: [{ ...APPROVAL, type: 'constructor' }] } }],
    ],
    ['an obligation without an id', [{ result: { ...ALLOW, obligations: [{ ...APPROVAL, id: '' }] } }]],
    ['an approval by nobody', withApproval({ groups: [] })],
    ['an approval of no people', withApproval({ count: 0 })],
    ['an approval of half a person', withApproval({ count: 0.5 })],
    ['an approval that never holds', withApproval({ ttl_seconds: 0 })],
    ['an approval of unclear distinctness', withApproval({ distinct: 'yes' })],
    ['an approval that excludes nobody in particular', withApproval({ excluded: [''] })],
    ['an approval with more to it', withApproval({ unless: true })],
    [
      'a redaction of nothing',
      [{ result: { ...ALLOW, obligations: [{ id: 'R1', type: 'redact', properties: { pointers: [] } }] } }],
    ],
    [
      'a redaction by name',
      [
        {
          result: { ...ALLOW, obligations: [{ id: 'R1', type: 'redact', properties: { pointers: ['a'] } }] },
        },
      ],
    ],
    ...['', '/~', '/a~2b', '/~', '#/a'].map((pointer): [string, unknown] => [
      `a redaction of "${pointer}"`,
      [
        {
          result: {
            ...ALLOW,
            obligations: [{ id: 'R1', type: 'redact', properties: { pointers: [pointer] } }],
          },
        },
      ],
    ]),
    [
      'a negative cap',
      [
        {
          result: { ...ALLOW, obligations: [{ id: 'R1', type: 'cap_bytes', properties: { max_bytes: -1 } }] },
        },
      ],
    ],
  ])('%s', (_, results) => {
    expect(parseDecision(results)).toMatchObject({ ok: false })
  })
})
