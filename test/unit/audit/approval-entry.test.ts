import { expect, it } from 'vitest'
import { eventsBetween } from '../../../gateway/approvals/approval-event.ts'
import { revoke } from '../../../gateway/approvals/revoke.ts'
import { vote } from '../../../gateway/approvals/vote.ts'
import { approvalEntry } from '../../../gateway/audit/approval-entry.ts'
import { encodeEntry } from '../../../gateway/audit/entry.ts'
import { createKeyedTokens } from '../../../gateway/audit/keyed-tokens.ts'
import { ballot, demand, pendingApproval, person, subject, VIEW_DIGEST } from '../../harness/approval.ts'

const TOKENS = createKeyedTokens(Buffer.alloc(32, 1), '2026-11')
const ALICE = person('alice@acme.example')

it('has who answered what, on a view that only a commitment is kept of', () => {
  const before = pendingApproval()
  const { next = before } = vote(before, ballot(ALICE, { comment: 'as planned' }), 1_000)
  const [voted, approved] = eventsBetween(before, next, 1_000).map((event) =>
    approvalEntry(event, TOKENS, 2_000),
  )
  expect(voted).toMatchObject({
    state: 'voted',
    verdict: 'approve',
    comment: 'as planned',
    by: { kind: 'person', id: 'alice@acme.example', channel: 'admin', authentication: 'mtls' },
    approval: 'approval-1',
    call: 'call-1',
    shown: TOKENS.commitmentTo(VIEW_DIGEST),
    time: '1970-01-01T00:00:02.000Z',
  })
  expect(approved).toMatchObject({ state: 'approved' })
  expect(approved).not.toHaveProperty('by')
  const text = JSON.stringify([voted, approved])
  expect(text).not.toContain(VIEW_DIGEST)
  expect(text).not.toContain(subject().view)
})

it('has who tried to answer and may not, and what they say they saw', () => {
  const cast = ballot(person('eve', { groups: [] }), { viewDigest: 'e'.repeat(64) })
  const event = {
    kind: 'vote_refused',
    atMs: 1,
    approval: pendingApproval(),
    ballot: cast,
    why: 'not_entitled',
  } as const
  expect(approvalEntry(event, TOKENS, 2_000)).toMatchObject({
    state: 'vote_refused',
    detail: 'not_entitled',
    by: { id: 'eve' },
    saw: TOKENS.commitmentTo('e'.repeat(64)),
  })
})

it('has who took it back, be it a person or the agent', () => {
  const before = pendingApproval()
  const revocation = { by: 'alice@acme.example', reason: 'wrong branch' }
  const { next = before } = revoke(before, revocation, 1)
  const entryOf = (by?: { kind: 'person'; person: typeof ALICE }) => {
    const [event] = eventsBetween(before, next, 1, by)
    return event && approvalEntry(event, TOKENS, 2_000)
  }
  const said = { state: 'revoked', comment: 'wrong branch', detail: 'alice@acme.example' }
  expect(entryOf({ kind: 'person', person: ALICE })).toMatchObject({ ...said, by: { kind: 'person' } })
  expect(entryOf()).toMatchObject(said)
})

it('is canonical, and fits into an entry whatever anybody called themselves', () => {
  const long = 'ü'.repeat(5_000)
  const before = pendingApproval({
    subject: { agent: { id: long, issuer: long, key: long }, principal: long, tenant: long, task: long },
    demand: demand({ groups: Array.from({ length: 32 }, (_, n) => `${n}${long}`) }),
  })
  const someone = person(long, { issuer: long, authentication: long, groups: [`0${long}`] })
  const { next = before } = vote(before, ballot(someone, { comment: long }), 1)
  for (const event of eventsBetween(before, next, 1)) {
    const entry = approvalEntry(event, TOKENS, 2_000)
    expect(Object.keys(entry)).toEqual(Object.keys(entry).sort())
    expect(encodeEntry(entry).length).toBeLessThan(32_768)
  }
})
