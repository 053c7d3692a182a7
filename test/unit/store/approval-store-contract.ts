import { describe, expect, it } from 'vitest'
import type { Approval } from '../../../gateway/approvals/approval.ts'
import { consume } from '../../../gateway/approvals/consume.ts'
import { settle } from '../../../gateway/approvals/lifetime.ts'
import { vote } from '../../../gateway/approvals/vote.ts'
import type { ApprovalStore, Change } from '../../../gateway/store/approval-store.ts'
import {
  approvalId,
  ballot,
  callId,
  demand,
  EVERYBODY_IS_KNOWN,
  person,
  subject,
} from '../../harness/approval.ts'
import { until } from '../../harness/until.ts'
import { request, requestApproved } from './approval-requests.ts'

export interface ApprovalStoreUnderTest extends AsyncDisposable {
  readonly store: ApprovalStore
  /** Another gateway at the same store. */
  readonly other: ApprovalStore
  /** Lets time pass. */
  advance(ms: number): Promise<void>
}

const ALICE = person('alice@acme.example')

const binding = (digit: string): string => digit.repeat(64)
const end = (approval: Approval, nowMs: number): Change<string> => ({
  next: { ...approval, state: 'denied', resolvedAtMs: nowMs },
  answer: 'ended',
})

export function describeApprovalStore(name: string, start: () => Promise<ApprovalStoreUnderTest>): void {
  describe(`${name} of approvals`, () => {
    it('keeps a new one whole, for every gateway, at its own time', async () => {
      await using under = await start()
      const made = await request(under.store)
      expect(made).toMatchObject({ kind: 'made', approval: { state: 'pending', subject: subject() } })
      const read = await under.other.get(approvalId('approval-1'))
      expect(read?.approval).toEqual(made.kind === 'made' && made.approval)
      const { createdAtMs = 0, terms } = read?.approval ?? {}
      expect(terms?.expiresAtMs).toBe(createdAtMs + demand().answerWithinMs)
      expect(read?.nowMs).toBeGreaterThanOrEqual(createdAtMs)
    })

    it('knows none that nobody asked for', async () => {
      await using under = await start()
      expect(await under.store.get(approvalId('none'))).toBeUndefined()
      expect(await under.store.change(approvalId('none'), end)).toBeUndefined()
    })

    it('answers with the open one for the same call, and makes a new one once that is over', async () => {
      await using under = await start()
      await request(under.store)
      const again = await request(under.other, { id: 'approval-2' })
      expect(again).toMatchObject({ kind: 'known', approval: { id: 'approval-1' } })
      await under.store.change(approvalId('approval-1'), end)
      expect(await request(under.other, { id: 'approval-3' })).toMatchObject({ kind: 'made' })
      expect(await under.store.get(approvalId('approval-1'))).toMatchObject({ approval: { state: 'denied' } })
    })

    it('has one review for each call', async () => {
      await using under = await start()
      await request(under.store, { kind: 'review', subject: { callId: callId('call-1') } })
      const second = { id: 'approval-2', kind: 'review', subject: { callId: callId('call-2') } } as const
      expect(await request(under.store, second)).toMatchObject({ kind: 'made' })
    })

    it('takes so many of one agent, and so many overall, and has room again as they end', async () => {
      await using under = await start()
      const bounds = { perAgent: 2, overall: 3 }
      const agent = { id: 'other-bot', issuer: 'https://issuer.example', key: 'k' }
      const ask = (id: string, more = {}) =>
        request(under.store, { id, subject: { binding: binding(id), ...more } }, bounds)
      expect(await ask('1')).toMatchObject({ kind: 'made' })
      expect(await ask('2')).toMatchObject({ kind: 'made' })
      expect(await ask('3')).toEqual({ kind: 'full', bound: 'perAgent' })
      expect(await ask('4', { agent })).toMatchObject({ kind: 'made' })
      expect(await ask('5', { agent })).toEqual({ kind: 'full', bound: 'overall' })
      expect(await ask('1')).toMatchObject({ kind: 'known' })
      await under.store.change(approvalId('1'), end)
      expect(await ask('5', { agent })).toMatchObject({ kind: 'made' })
    })

    it('applies a transition to what it has, and tells its answer', async () => {
      await using under = await start()
      await request(under.store)
      const answer = await under.other.change(approvalId('approval-1'), (approval, nowMs) =>
        vote(approval, ballot(ALICE), nowMs),
      )
      expect(answer).toMatchObject({ kind: 'counted', approval: { state: 'approved' } })
      const { approval } = (await under.store.get(approvalId('approval-1'))) ?? {}
      expect(approval).toEqual(answer?.approval)
    })

    it('changes nothing where a transition wants nothing changed, or fails', async () => {
      await using under = await start()
      await request(under.store)
      const id = approvalId('approval-1')
      const before = await under.store.get(id)
      expect(await under.store.change(id, () => ({ next: undefined, answer: 'no' }))).toBe('no')
      const failing = under.store.change(id, () => {
        throw new Error('a bug')
      })
      await expect(failing).rejects.toThrow('a bug')
      expect((await under.store.get(id))?.approval).toEqual(before?.approval)
    })

    it('loses no change of many at once', async () => {
      await using under = await start()
      await request(under.store, { demand: { count: 10 } })
      const people = Array.from({ length: 10 }, (_, n) => person(`person-${n}`))
      const voting = people.map((who, n) =>
        (n % 2 === 0 ? under.store : under.other).change(approvalId('approval-1'), (approval, nowMs) =>
          vote(approval, ballot(who), nowMs),
        ),
      )
      await Promise.all(voting)
      const { approval } = (await under.store.get(approvalId('approval-1'))) ?? {}
      expect(approval).toMatchObject({ state: 'approved' })
      expect(approval?.votes.map((cast) => cast.person.id).sort()).toEqual(people.map(({ id }) => id))
    })

    it('gives it to one of 200 that want to use it at once', async () => {
      await using under = await start()
      const id = await requestApproved(under.store)
      const consumers = Array.from({ length: 200 }, (_, n) => {
        const use = { binding: binding('b'), callId: callId(`call-${n}`), personNow: EVERYBODY_IS_KNOWN.now }
        const store = n % 2 === 0 ? under.store : under.other
        return store.change(id, (approval, nowMs) => consume(approval, use, nowMs), { witness: 'required' })
      })
      const answers = await Promise.all(consumers)
      expect(answers.filter((answer) => answer?.kind === 'consumed')).toHaveLength(1)
      const refused = answers.filter((answer) => answer?.kind === 'refused' && answer.why === 'used')
      expect(refused).toHaveLength(199)
    })

    it('lists by state, the newest first, no more than asked for', async () => {
      await using under = await start()
      for (const n of ['1', '2', '3', '4'])
        await request(under.store, { id: n, subject: { binding: binding(n) } })
      await under.store.change(approvalId('2'), end)
      const idsOf = async (states: Parameters<ApprovalStore['list']>[0]['states'], limit: number) =>
        (await under.other.list({ states, limit })).map(({ approval }) => approval.id)
      expect(await idsOf(['pending'], 10)).toEqual(['4', '3', '1'])
      expect(await idsOf(['pending', 'denied'], 3)).toEqual(['4', '3', '2'])
      expect(await idsOf(['denied'], 10)).toEqual(['2'])
      expect(await idsOf(['consumed'], 10)).toEqual([])
    })

    it('names those that are due, and no longer once they were settled', async () => {
      await using under = await start()
      const soon = { answerWithinMs: 0 }
      await request(under.store, { id: '1', subject: { binding: binding('1') }, demand: soon })
      await request(under.store, {
        id: '2',
        subject: { binding: binding('2') },
        demand: { escalateAfterMs: 0 },
      })
      await request(under.store, { id: '3', subject: { binding: binding('3') } })
      expect([...(await under.other.due(10))].sort()).toEqual(['1', '2'])
      expect(await under.other.due(1)).toHaveLength(1)
      for (const id of await under.other.due(10)) {
        await under.other.change(id, (approval, nowMs) => ({ next: settle(approval, nowMs), answer: 1 }))
      }
      expect(await under.other.due(10)).toEqual([])
      expect(await under.store.get(approvalId('1'))).toMatchObject({ approval: { state: 'expired' } })
      expect(await under.store.get(approvalId('2'))).toMatchObject({ approval: { escalated: true } })
    })

    it('counts those that wait for people', async () => {
      await using under = await start()
      const none = { count: 0, oldestMs: 0 }
      expect(await under.store.pending()).toEqual({ approval: none, review: none })
      await request(under.store, { id: '1', subject: { binding: binding('1') } })
      await requestApproved(under.store, { id: '2', subject: { binding: binding('2') } })
      await under.advance(5)
      await request(under.store, { id: '3', kind: 'review' })
      const { approval, review } = await under.other.pending()
      expect([approval.count, review.count]).toEqual([1, 1])
      expect(approval.oldestMs).toBeGreaterThanOrEqual(review.oldestMs + 5)
    })

    it('forgets those that are over, the oldest first, and none that is open', async () => {
      await using under = await start()
      for (const n of ['1', '2', '3', '4'])
        await request(under.store, { id: n, subject: { binding: binding(n) } })
      for (const n of ['1', '2', '3']) {
        await under.store.change(approvalId(n), end)
        await under.advance(2)
      }
      expect(await under.store.prune({ keptMs: 3_600_000, keptCount: 2 })).toBe(1)
      expect(await under.store.get(approvalId('1'))).toBeUndefined()
      expect(await under.store.prune({ keptMs: -1, keptCount: 2 })).toBe(2)
      const left = await under.store.list({ states: ['pending', 'denied'], limit: 10 })
      expect(left.map(({ approval }) => approval.id)).toEqual(['4'])
    })

    it('tells who watches it of a change by any gateway, and nobody else', async () => {
      await using under = await start()
      for (const n of ['1', '2']) await request(under.store, { id: n, subject: { binding: binding(n) } })
      const told = { mine: 0, others: 0 }
      const stop = under.store.watch(approvalId('1'), () => told.mine++)
      under.store.watch(approvalId('2'), () => told.others++)
      // It may tell everybody once, as soon as it listens.
      const toldAfterChange = async (before: number): Promise<void> =>
        until(async () => {
          await under.other.change(approvalId('1'), (approval) => ({ next: approval, answer: 1 }))
          return told.mine > before
        })
      await toldAfterChange(0)
      const { mine, others } = told
      await toldAfterChange(mine)
      expect(told.others).toBe(others)
      stop()
    })
  })
}
