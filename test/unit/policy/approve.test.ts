import type { Approval, ApprovalId } from '../../../gateway/approvals/approval.ts'
import { NOBODY } from '../../../gateway/policy/evaluation/self-test.ts'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Decision, Obligation } from '../../../gateway/policy/decision.ts'
import type { Decided } from '../../../gateway/exchange.ts'
import { pass, refuse } from '../../../gateway/refusal.ts'
import { createApprove } from '../../../gateway/stages/approve.ts'
import { aCall } from './call.ts'
import { ALLOW, POLICY } from './allowing-policy.ts'

describe('approve', () => {
  const approval: Obligation = {
    id: 'R060',
    type: 'approval',
    properties: {
      groups: ['change-approvers'],
      count: 2,
      distinct: true,
      ttlSeconds: 60,
      escalationGroup: 'change-managers',
      escalateAfterSeconds: 30,
      excluded: [],
    },
  }
  const later: readonly Obligation[] = [
    { id: 'R1', type: 'redact', properties: { pointers: ['/a'] } },
    { id: 'R2', type: 'cap_bytes', properties: { maxBytes: 1 } },
    { id: 'R4', type: 'notify', properties: { groups: ['a'] } },
  ]
  const review: Obligation = {
    id: 'R3',
    type: 'post_review',
    properties: { groups: ['a'], ttlSeconds: 1, excluded: [] },
  }
  const limit: Obligation = { id: 'R5', type: 'limit', properties: { name: 'a' } }
  const decidedWith = (decision: Decision): Decided => ({
    ...aCall(),
    input: NOBODY,
    policy: POLICY,
    decision,
  })
  const owing = (obligations: readonly Obligation[]): Decided => decidedWith({ ...ALLOW, obligations })
  let asked: unknown[] = []
  let withdrawn: unknown[] = []
  beforeEach(() => {
    asked = []
    withdrawn = []
  })
  const approve = createApprove({
    hold: {
      ask: async (_call, obligation) => {
        asked.push(obligation)
        return refuse('approval.required')
      },
      use: async () => refuse('approval.used'),
    },
    reviews: {
      ask: async (_call, obligation) => {
        asked.push(obligation)
        return pass('review-1' as ApprovalId)
      },
      withdraw: (id) => void withdrawn.push(id),
    },
    redecide: () => refuse('policy.error'),
    clock: { nowMs: () => 0 },
  })

  test('gives a permit for the call that owes nothing, and asks nobody', () => {
    const decided = decidedWith(ALLOW)
    const verdict = approve(decided)
    expect('ok' in verdict && verdict.ok && verdict.value.call).toBe(decided)
    expect(asked).toEqual([])
  })

  test('gives none for a deny, should one ever come this far', () => {
    expect(approve(decidedWith({ ...ALLOW, allow: false }))).toMatchObject({
      ok: false,
      refusal: { code: 'policy.denied' },
    })
  })

  test('asks people about the call that they have to approve', async () => {
    expect(await approve(owing([...later, approval]))).toMatchObject({
      refusal: { code: 'approval.required' },
    })
    expect(asked).toEqual([approval])
  })

  test('lets a call go on whose answer is redacted or bounded, or of which somebody is told', () => {
    expect(approve(owing(later))).toMatchObject({ ok: true })
  })

  test('has people asked about the call that is looked at afterwards, before it is made', async () => {
    const verdict = await approve(owing([...later, review]))
    expect(verdict.ok && verdict.value.call.review).toBe('review-1')
    expect(asked).toEqual([review])
  })

  test('asks nobody to look at a call that its approval did not let through', async () => {
    const call = { ...owing([review]), approval: { state: 'approved' } as Approval }
    expect(await approve(call)).toMatchObject({ refusal: { code: 'approval.used' } })
    expect(withdrawn).toEqual(['review-1'])
  })

  test('refuses an obligation that nobody here can carry out', () => {
    expect(approve(owing([limit]))).toMatchObject({ refusal: { code: 'policy.obligation_unsupported' } })
  })

  test('asks nobody for an approval that could not help, or for two at once', () => {
    for (const obligations of [
      [approval, ...later, limit],
      [approval, { ...approval, id: 'R099' }],
      [review, { ...review, id: 'R099' }],
    ]) {
      expect(approve(owing(obligations))).toMatchObject({
        refusal: { code: 'policy.obligation_unsupported' },
      })
    }
    expect(asked).toEqual([])
  })
})
