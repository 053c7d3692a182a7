import { describe, expect, it } from 'vitest'
import type { Approval, ApprovalState } from '../../../gateway/approvals/approval.ts'
import { consume, type Use } from '../../../gateway/approvals/consume.ts'
import { revoke } from '../../../gateway/approvals/revoke.ts'
import { vote } from '../../../gateway/approvals/vote.ts'
import {
  ballot,
  callId,
  EVERYBODY_IS_KNOWN,
  pendingApproval,
  person,
  type PendingOptions,
} from '../../harness/approval.ts'

function approved(options: PendingOptions = {}): Approval {
  const { next } = vote(pendingApproval(options), ballot(person('alice@acme.example')), 1_000)
  if (next?.state !== 'approved') throw new Error('not approved')
  return next
}

function use(more: Partial<Use> = {}): Use {
  return { binding: 'b'.repeat(64), callId: callId('call-2'), personNow: EVERYBODY_IS_KNOWN.now, ...more }
}

describe('consuming an approval', () => {
  it('uses it up for one call', () => {
    const { next, answer } = consume(approved(), use(), 2_000)
    expect(answer).toMatchObject({ kind: 'consumed' })
    expect(next).toMatchObject({ state: 'consumed', consumedBy: 'call-2', resolvedAtMs: 2_000 })
  })

  it('works once', () => {
    const { next = approved() } = consume(approved(), use(), 2_000)
    const again = consume(next, use({ callId: callId('call-3') }), 3_000)
    expect(again).toMatchObject({ next: undefined, answer: { kind: 'refused', why: 'used' } })
  })

  it('answers the call that has it alike when asked again', () => {
    const { next = approved() } = consume(approved(), use(), 2_000)
    expect(consume(next, use(), 99_000_000)).toMatchObject({ next: undefined, answer: { kind: 'consumed' } })
  })

  it('is refused to another call, which learns nothing else', () => {
    for (const held of [approved(), pendingApproval()]) {
      const { next, answer } = consume(held, use({ binding: 'c'.repeat(64) }), 2_000)
      expect(next).toBeUndefined()
      expect(answer).toMatchObject({ kind: 'refused', why: 'mismatch' })
    }
  })

  it('is refused for a review', () => {
    expect(consume(approved({ kind: 'review' }), use(), 2_000).answer).toMatchObject({ why: 'mismatch' })
  })

  it('is refused before people have said yes', () => {
    expect(consume(pendingApproval(), use(), 2_000).answer).toMatchObject({ why: 'pending' })
  })

  it('is refused once nobody answered in time', () => {
    const { next, answer } = consume(pendingApproval(), use(), 1_800_000)
    expect(answer).toMatchObject({ why: 'expired' })
    expect(next).toMatchObject({ state: 'expired' })
  })

  it('is refused once it waited too long for its call', () => {
    expect(consume(approved(), use(), 900_999).answer).toMatchObject({ kind: 'consumed' })
    expect(consume(approved(), use(), 901_000).answer).toMatchObject({ why: 'expired' })
  })

  it('works after the time to answer, where the yes came in time', () => {
    const demand = { answerWithinMs: 2_000 }
    expect(consume(approved({ demand }), use(), 3_000).answer).toMatchObject({ kind: 'consumed' })
  })

  it.each<[ApprovalState, (approval: Approval) => Approval | undefined]>([
    ['denied', (held) => vote(held, ballot(person('bob'), { verdict: 'deny' }), 2_000).next],
    ['revoked', (held) => revoke(held, { by: 'bob', reason: 'changed my mind' }, 2_000).next],
  ])('is refused once it was %s', (why, end) => {
    const ended = end(approved())
    expect(ended?.state).toBe(why)
    expect(consume(ended ?? approved(), use(), 3_000)).toMatchObject({ next: undefined, answer: { why } })
  })

  it.each<[string, Use['personNow']]>([
    ['is known to nobody', () => undefined],
    ['is in another group', (who) => ({ ...who, groups: ['change-managers'] })],
    ['is in a group that may not answer', (who) => ({ ...who, groups: [...who.groups, 'team-of-pat'] })],
  ])('is refused, for good, when somebody who said yes %s by now', (_what, personNow) => {
    const held = approved({ demand: { excludedGroups: ['team-of-pat'] } })
    const { next, answer } = consume(held, use({ personNow }), 2_000)
    expect(answer).toMatchObject({ kind: 'refused', why: 'revoked' })
    expect(next).toMatchObject({ state: 'revoked', revokedBy: 'gateway' })
    expect(next?.revocationReason).toContain('alice@acme.example')
  })

  it('works as long as enough of those who said yes may still answer', () => {
    const bob = ballot(person('bob@acme.example'))
    const both = { ...approved(), votes: [...approved().votes, { ...bob, atMs: 1_000 }] }
    const withoutBob: Use['personNow'] = (who) => (who.id === 'bob@acme.example' ? undefined : who)
    expect(consume(both, use({ personNow: withoutBob }), 2_000).answer).toMatchObject({ kind: 'consumed' })
    const two = { ...both, terms: { ...both.terms, count: 2 } }
    expect(consume(two, use({ personNow: withoutBob }), 2_000).answer).toMatchObject({ why: 'revoked' })
  })
})

describe('revoking', () => {
  it('takes back what waits and what is approved', () => {
    for (const held of [pendingApproval(), approved()]) {
      const { next, answer } = revoke(held, { by: 'bob', reason: 'wrong branch' }, 2_000)
      expect(answer).toMatchObject({ kind: 'revoked' })
      expect(next).toMatchObject({ state: 'revoked', revokedBy: 'bob', revocationReason: 'wrong branch' })
    }
  })

  it('twice is harmless', () => {
    const { next = approved() } = revoke(approved(), { by: 'bob', reason: '' }, 2_000)
    expect(revoke(next, { by: 'carl', reason: '' }, 3_000)).toMatchObject({
      next: undefined,
      answer: { kind: 'repeated', approval: { revokedBy: 'bob' } },
    })
  })

  it('comes too late for what was used', () => {
    const { next = approved() } = consume(approved(), use(), 2_000)
    expect(revoke(next, { by: 'bob', reason: '' }, 3_000)).toMatchObject({
      next: undefined,
      answer: { kind: 'final', approval: { state: 'consumed' } },
    })
  })
})
