import { describe, expect, it } from 'vitest'
import { ApprovalsUnavailable } from '../../../gateway/approvals/approvals-unavailable.ts'
import { approvalId, ballot, callId, demand, person, subject } from '../../harness/approval.ts'
import { startApprovals, WANTED } from '../../harness/approvals.ts'
import { until } from '../../harness/until.ts'

const ALICE = person('alice@acme.example')
const USE = { binding: subject().binding, callId: callId('call-2') }

describe('approvals', () => {
  it('are asked for once, answered, and used once', async () => {
    await using under = await startApprovals()
    const { id } = await under.request()
    expect(await under.service.request(WANTED)).toMatchObject({ kind: 'known', approval: { id } })
    expect(await under.service.vote(id, ballot(ALICE))).toMatchObject({ kind: 'counted' })
    expect(await under.service.consume(id, USE)).toMatchObject({ kind: 'consumed' })
    const again = { ...USE, callId: callId('call-3') }
    expect(await under.service.consume(id, again)).toMatchObject({ kind: 'refused', why: 'used' })
    expect(under.kinds()).toEqual(['requested', 'voted', 'approved', 'consumed'])
  })

  it('tell of somebody who may not answer, and of nothing where nothing happened', async () => {
    await using under = await startApprovals()
    const { id } = await under.request({ demand: demand({ count: 2 }) })
    const eve = ballot(person('eve', { groups: [] }))
    expect(await under.service.vote(id, eve)).toMatchObject({ kind: 'refused', why: 'not_entitled' })
    await under.service.vote(id, ballot(ALICE))
    await under.service.vote(id, ballot(ALICE))
    expect(under.kinds()).toEqual(['requested', 'vote_refused', 'voted'])
    expect(under.events[1]).toMatchObject({ why: 'not_entitled', ballot: { person: { id: 'eve' } } })
  })

  it('are known by their id alone', async () => {
    await using under = await startApprovals()
    const id = approvalId('approval-9')
    expect(await under.service.lookup(id)).toBeUndefined()
    expect(await under.service.vote(id, ballot(ALICE))).toBeUndefined()
    expect(await under.service.revoke(id, { by: 'alice', reason: '' })).toBeUndefined()
    expect(await under.service.consume(id, USE)).toBeUndefined()
  })

  it('are what time has made of them, whether or not anybody put it down', async () => {
    await using under = await startApprovals()
    const { id } = await under.request()
    under.clock.advance(600_000)
    expect(await under.service.lookup(id)).toMatchObject({ state: 'pending', escalated: true })
    under.clock.advance(1_200_000)
    expect(await under.service.lookup(id)).toMatchObject({ state: 'expired' })
    expect(await under.service.list(['pending'], 10)).toMatchObject([{ id, state: 'expired' }])
    expect(under.kinds()).toEqual(['requested'])
    expect(await under.service.vote(id, ballot(ALICE))).toMatchObject({ why: 'final' })
    expect(under.kinds()).toEqual(['requested', 'expired', 'vote_refused'])
  })

  it('are asked for anew when nobody answered the one before', async () => {
    await using under = await startApprovals()
    const { id } = await under.request()
    under.clock.advance(1_800_000)
    expect(await under.service.request(WANTED)).toMatchObject({
      kind: 'made',
      approval: { state: 'pending' },
    })
    expect(await under.service.lookup(id)).toMatchObject({ state: 'expired' })
    expect(under.kinds()).toEqual(['requested', 'expired', 'requested'])
  })

  it('of one agent are no more than so many at once', async () => {
    await using under = await startApprovals()
    for (const binding of ['1', '2']) await under.request({ subject: subject({ binding }) })
    const third = { ...WANTED, subject: subject({ binding: '3' }) }
    expect(await under.service.request(third)).toEqual({ kind: 'full', bound: 'perAgent' })
  })

  it('are waited for until somebody answers', async () => {
    await using under = await startApprovals()
    const { id } = await under.request()
    const answered = under.service.answered(id, new AbortController().signal)
    await under.service.vote(id, ballot(ALICE, { verdict: 'deny' }))
    expect(await answered).toMatchObject({ state: 'denied' })
    expect(await under.service.answered(id, AbortSignal.abort())).toMatchObject({ state: 'denied' })
  })

  it('are waited for no longer than the call waits', async () => {
    await using under = await startApprovals()
    const { id } = await under.request()
    const call = new AbortController()
    const answered = under.service.answered(id, call.signal)
    call.abort()
    expect(await answered).toMatchObject({ state: 'pending' })
  })

  it('are not to be had while the store is away', async () => {
    await using under = await startApprovals()
    const { id } = await under.request()
    await under.close()
    await expect(under.service.lookup(id)).rejects.toThrow(ApprovalsUnavailable)
    await expect(under.service.consume(id, USE)).rejects.toThrow(ApprovalsUnavailable)
    await expect(under.service.answered(id, AbortSignal.abort())).rejects.toThrow(ApprovalsUnavailable)
    await until(() => under.kinds().length === 1)
  })
})
