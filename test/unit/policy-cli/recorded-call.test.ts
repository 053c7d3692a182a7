import { describe, expect, it } from 'vitest'
import type { DecisionEntry, OutcomeEntry } from '../../../gateway/audit/entry.ts'
import { recordedCall } from '../../../gateway/policy/authoring/recorded-call.ts'

const INTENT: DecisionEntry = {
  v: 1,
  type: 'decision',
  call: 'call-1',
  time: '2026-11-23T09:00:00.200Z',
  received: '2026-11-23T09:00:00.125Z',
  trace: '',
  who: {
    agent: 'a',
    issuer: 'https://issuer.example',
    binding: 'dpop',
    key: 'k',
    principal: 'mira',
    act: [],
    tenant: 'zyx',
    token: 't',
  },
  what: {
    connector: 'github',
    operation: 'github.pulls/get',
    access: 'read',
    method: 'GET',
    params: 'hmac:p',
  },
  resource: { project: '', repository: 'zyx/infra', channel: '', account: 'hmac:x', amount: 0, currency: '' },
  environment: 'staging',
  decision: 'allow',
  risk: 3,
  reasons: [],
  obligations: ['R060'],
  policy: { digest: 'sha256:1', revision: 'r' },
  facts: {
    groups: ['sre'],
    device_compliant: true,
    scopes: [],
    authorization_details: 0,
    risk: 1,
    data_class: 'internal',
    phase: '',
    reversible: true,
    truncated: false,
    calls_1m: 2,
    denials_10m: 0,
    errors_1h: 0,
    writes_task: 0,
    first_use: false,
    operations_task: ['github.pulls/list'],
    spend_day: 12.5,
    spend_task: 0,
    data_classes_task: ['internal'],
  },
  declared: { task: 'T-1', ticket: 'CHG-1', rationale: 'see [removed]', rollback_plan: 'hmac:r' },
  credential: '',
  request: { kind: 'none', bytes: 0, digest: '' },
}

const {
  type: _type,
  decision: _decision,
  obligations: _obligations,
  credential: _credential,
  request: _request,
  ...rest
} = INTENT
const refusedWith = (outcome: OutcomeEntry['outcome']): OutcomeEntry => ({
  ...rest,
  type: 'outcome',
  outcome,
  status: 403,
  reasons: [{ code: 'group.not_allowed', rule: 'R010', detail: '' }],
})

describe('a call as policy saw it, from its record', () => {
  it('has what people answered to it, where it used that up', () => {
    const call = recordedCall({ ...INTENT, approval: { approvers: ['kim'], id: 'approval-1' } })
    expect(call?.input.approval).toEqual({ state: 'approved', id: 'approval-1', approvers: ['kim'] })
    expect(recordedCall(INTENT)?.input.approval.state).toBe('none')
  })

  it('has what is on record, and names what is not', () => {
    const call = recordedCall(INTENT)
    expect(call).toMatchObject({
      allowed: true,
      risk: 3,
      obligations: ['R060'],
      input: {
        principal: { groups: ['sre'] },
        resource: { repository: 'zyx/infra' },
        history: {
          calls_1m: 2,
          spend_day: 12.5,
          operations_task: ['github.pulls/list'],
          data_classes_task: ['internal'],
        },
      },
    })
    expect(call?.unknown).toEqual([
      'input.declared.rationale',
      'input.declared.rollback_plan',
      'input.history.data_classes_1h',
      'input.history.operations_1h',
      'input.params.body',
      'input.params.digest',
      'input.params.path',
      'input.params.query',
      'input.resource.account',
      'input.signals.injection',
      'input.signals.pii',
      'input.signals.secrets',
      'input.time',
    ])
  })

  it('knows business hours where it is told how to, and an account where its token can be read', () => {
    const call = recordedCall(INTENT, {
      timeOf: (ms) => ({
        ns: `${ms}000000`,
        date: '2026-11-23',
        weekday: 'monday',
        hour: 10,
        business_hours: true,
      }),
      readToken: (value) => (value === 'hmac:x' ? 'zyx' : value),
    })
    expect(call?.input).toMatchObject({ resource: { account: 'zyx' }, time: { business_hours: true } })
    expect(call?.unknown).not.toContain('input.time')
    expect(call?.unknown).not.toContain('input.resource.account')
  })

  it('takes groups that were too many to be recorded for unknown, not for none', () => {
    const { groups: _groups, ...facts } = INTENT.facts ?? {}
    expect(recordedCall({ ...INTENT, facts: facts as DecisionEntry['facts'] & object })?.unknown).toContain(
      'input.principal.groups',
    )
  })

  it('takes all of it for unknown in a record from before facts were kept', () => {
    const { facts: _facts, ...before } = INTENT
    expect(recordedCall(before)?.unknown).toEqual(
      expect.arrayContaining(['input.history', 'input.operation.risk', 'input.principal.device_compliant']),
    )
  })

  it('is denied, held, or none that policy decided, as its outcome says', () => {
    expect(recordedCall(refusedWith('policy.denied'))).toMatchObject({ allowed: false, rules: ['R010'] })
    expect(recordedCall(refusedWith('approval.required'))).toMatchObject({
      allowed: true,
      held: true,
      rules: [],
    })
    expect(recordedCall(refusedWith('gateway.fault'))).toBeUndefined()
  })
})
