import { describe, expect, it } from 'vitest'
import type { Approval } from '../../../gateway/approvals/approval.ts'
import { revoke } from '../../../gateway/approvals/revoke.ts'
import { vote, type Ballot } from '../../../gateway/approvals/vote.ts'
import { ballot, pendingApproval, person, type PendingOptions } from '../../harness/approval.ts'

const ALICE = person('alice@acme.example')
const BOB = person('bob@acme.example')
const MANAGER = person('mona@acme.example', { groups: ['change-managers'] })

function after(ballots: readonly Ballot[], options: PendingOptions = {}, nowMs = 1_000): Approval {
  return ballots.reduce<Approval>(
    (approval, cast) => vote(approval, cast, nowMs).next ?? approval,
    pendingApproval(options),
  )
}

describe('a vote', () => {
  it('of one entitled person approves where one is asked for', () => {
    const approved = after([ballot(ALICE)])
    expect(approved).toMatchObject({ state: 'approved', resolvedAtMs: 1_000 })
    expect(approved.votes).toEqual([{ ...ballot(ALICE), atMs: 1_000 }])
  })

  it('waits for as many different people as are asked for', () => {
    const demand = { count: 2 }
    expect(after([ballot(ALICE)], { demand }).state).toBe('pending')
    expect(after([ballot(ALICE), ballot(BOB)], { demand }).state).toBe('approved')
  })

  it.each([
    ['again', ALICE],
    ['in another spelling', person(' Alice@ACME.example ')],
    ['in full-width letters', person('ａlice@acme.example')],
    ['through another issuer', person('alice@acme.example', { issuer: 'slack:T1', channel: 'slack' })],
  ])('by the same person %s does not count twice', (_how, again) => {
    const once = after([ballot(ALICE)], { demand: { count: 2 } })
    const { next, answer } = vote(once, ballot(again), 2_000)
    expect(next).toBeUndefined()
    expect(answer).toMatchObject({ kind: 'repeated', approval: { state: 'pending' } })
  })

  it.each(['approve', 'deny'] as const)('to %s, clicked twice, is answered alike', (verdict) => {
    const once = after([ballot(ALICE, { verdict })])
    expect(vote(once, ballot(ALICE, { verdict }), 2_000)).toMatchObject({
      next: undefined,
      answer: { kind: 'repeated' },
    })
  })

  it.each([
    ['the principal', 'pat@acme.example'],
    ['the principal in another spelling', ' PAT@acme.example'],
    ['somebody of the delegation chain', 'delegator@acme.example'],
    ['the agent', 'Release-Bot'],
    ['the owner of the agent', 'owner@acme.example'],
    ['nobody in particular', ' '],
  ])('of %s is refused', (_who, id) => {
    const { next, answer } = vote(pendingApproval(), ballot(person(id)), 1_000)
    expect(next).toBeUndefined()
    expect(answer).toMatchObject({ kind: 'refused', why: 'excluded', approval: { votes: [] } })
  })

  it('of a member of an excluded group is refused', () => {
    const pending = pendingApproval({ demand: { excludedGroups: ['payments-team'] } })
    const member = person('carl@acme.example', { groups: ['change-approvers', 'payments-team'] })
    expect(vote(pending, ballot(member), 1_000).answer).toMatchObject({ why: 'excluded' })
  })

  it.each([{ groups: [] }, { groups: ['developers'] }, { groups: ['change-managers'] }])(
    'of somebody in $groups is refused',
    ({ groups }) => {
      const { answer } = vote(pendingApproval(), ballot(person('eve', { groups })), 599_999)
      expect(answer).toMatchObject({ kind: 'refused', why: 'not_entitled' })
    },
  )

  it('of the escalation group counts from the time of escalation on, timer or not', () => {
    const { next, answer } = vote(pendingApproval(), ballot(MANAGER), 600_000)
    expect(answer).toMatchObject({ kind: 'counted' })
    expect(next).toMatchObject({ state: 'approved', escalated: true })
  })

  it('on something else than what will be sent is refused', () => {
    const { next, answer } = vote(pendingApproval(), ballot(ALICE, { viewDigest: 'e'.repeat(64) }), 1_000)
    expect(next).toBeUndefined()
    expect(answer).toMatchObject({ kind: 'refused', why: 'stale_view' })
  })

  it('to deny ends it, whatever others said', () => {
    const denied = after([ballot(ALICE), ballot(BOB, { verdict: 'deny' })], { demand: { count: 2 } })
    expect(denied).toMatchObject({ state: 'denied' })
    expect(vote(denied, ballot(BOB), 2_000).answer).toMatchObject({ kind: 'refused', why: 'final' })
  })

  it('to deny wins over one to approve, whichever came first', () => {
    const no = ballot(BOB, { verdict: 'deny' })
    expect(after([ballot(ALICE), no]).state).toBe('denied')
    expect(after([no, ballot(ALICE)]).state).toBe('denied')
  })

  it('to deny takes back what the same person approved', () => {
    const denied = after([ballot(ALICE), ballot(ALICE, { verdict: 'deny' })], { demand: { count: 2 } })
    expect(denied).toMatchObject({ state: 'denied' })
    expect(denied.votes).toHaveLength(2)
  })

  it('on what is approved already is too late', () => {
    expect(vote(after([ballot(ALICE)]), ballot(BOB), 2_000).answer).toMatchObject({ why: 'final' })
  })

  it('comes too late at the very end, and finds it expired', () => {
    const { next, answer } = vote(pendingApproval(), ballot(ALICE), 1_800_000)
    expect(answer).toMatchObject({ kind: 'refused', why: 'final', approval: { state: 'expired' } })
    expect(next).toMatchObject({ state: 'expired', resolvedAtMs: 1_800_000, votes: [] })
  })

  it('of somebody not entitled is refused as that even where it is over', () => {
    const { next } = revoke(pendingApproval(), { by: 'alice', reason: '' }, 500)
    const eve = ballot(person('eve', { groups: [] }))
    expect(vote(next ?? pendingApproval(), eve, 1_000).answer).toMatchObject({ why: 'not_entitled' })
  })

  it('approves a review for good', () => {
    const approved = after([ballot(ALICE)], { kind: 'review' })
    expect(approved.state).toBe('approved')
    const no = ballot(BOB, { verdict: 'deny' })
    expect(vote(approved, no, 9_999_999)).toMatchObject({ next: undefined, answer: { why: 'final' } })
  })
})
