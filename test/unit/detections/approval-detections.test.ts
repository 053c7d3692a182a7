import { describe, expect, it } from 'vitest'
import { ballot, person, subject } from '../../harness/approval.ts'
import { startApprovals } from '../../harness/approvals.ts'
import { LOCK, startDetections } from './start-detections.ts'

describe('approvals', () => {
  it('of which one agent asks very many are raised, with the last that is enough', async () => {
    await using approvals = await startApprovals()
    const approval = await approvals.request()
    const running = startDetections({ approvals_spike: { ...LOCK, threshold: 3 } })
    const ask = () => running.detections.approvalEvent({ kind: 'requested', atMs: 0, approval })
    ask()
    ask()
    await running.end()
    expect(running.raised).toEqual([])
    ask()
    await running.end()
    expect(running.raised).toMatchObject([{ rule: 'approvals_spike', count: 3, subject: { kind: 'agent' } }])
    expect(running.locks).toMatchObject([{ on: { kind: 'agent', name: approval.subject.agent.id } }])
  })

  it('that somebody answers who may not are raised, of the very service that refuses them', async () => {
    await using approvals = await startApprovals()
    const approval = await approvals.request()
    const running = startDetections({ vote_not_entitled: LOCK })
    const ballot = {
      person: {
        id: 'mallory',
        issuer: 'https://people.example',
        groups: ['nobodies'],
        channel: 'admin',
        authentication: 'pwd',
      },
      verdict: 'approve',
      viewDigest: approval.subject.viewDigest,
      comment: '',
    } as const
    await approvals.service.vote(approval.id, ballot)
    for (const event of approvals.events) running.detections.approvalEvent(event)
    await running.end()
    expect(running.raised).toMatchObject([
      {
        rule: 'vote_not_entitled',
        subject: { kind: 'person', name: 'mallory', issuer: 'https://people.example' },
        detail: `not_entitled: approve of approval ${approval.id} through admin`,
      },
    ])
    expect(running.locks).toMatchObject([{ on: { kind: 'principal', name: 'mallory' } }])
  })

  it('that are reviews and get a no are raised, and lock who made the call; a no beforehand is none', async () => {
    await using approvals = await startApprovals()
    const review = await approvals.request({ kind: 'review' })
    const approval = await approvals.request()
    const running = startDetections({ review_denied: LOCK })
    for (const { id } of [approval, review])
      await approvals.service.vote(id, ballot(person('alice@acme.example'), { verdict: 'deny' }))
    for (const event of approvals.events) running.detections.approvalEvent(event)
    await running.end()
    expect(running.raised).toMatchObject([{ rule: 'review_denied', detail: `review ${review.id}` }])
    expect(running.locks).toMatchObject([{ on: { kind: 'agent', name: review.subject.agent.id } }])
  })

  it('lock nobody whose token was bound to no key: a copy of it could have asked', async () => {
    await using approvals = await startApprovals()
    const agent = { id: 'release-bot', issuer: 'https://issuer.example', key: '' }
    const approval = await approvals.request({ kind: 'review', subject: subject({ agent }) })
    const running = startDetections({ review_denied: LOCK, approvals_spike: { ...LOCK, threshold: 1 } })
    running.detections.approvalEvent({ kind: 'denied', atMs: 0, approval })
    running.detections.approvalEvent({
      kind: 'requested',
      atMs: 0,
      approval: { ...approval, kind: 'approval' },
    })
    await running.end()
    expect([running.rules().toSorted(), running.locks]).toEqual([['approvals_spike', 'review_denied'], []])
  })

  it('lock nobody for whom only a channel vouches', async () => {
    await using approvals = await startApprovals()
    const approval = await approvals.request()
    const running = startDetections({ vote_not_entitled: LOCK })
    const ballot = {
      person: {
        id: 'dana@zyx.example',
        issuer: 'slack:T1',
        groups: [],
        channel: 'slack',
        authentication: '',
      },
      verdict: 'deny',
      viewDigest: '',
      comment: '',
    } as const
    running.detections.approvalEvent({ kind: 'vote_refused', atMs: 0, approval, ballot, why: 'excluded' })
    running.detections.approvalEvent({ kind: 'vote_refused', atMs: 0, approval, ballot, why: 'stale_view' })
    await running.end()
    expect([running.rules(), running.locks]).toEqual([['vote_not_entitled'], []])
  })
})
