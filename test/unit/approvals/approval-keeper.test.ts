import { describe, expect, it } from 'vitest'
import { ApprovalKeeper } from '../../../gateway/approvals/approval-keeper.ts'
import { approvalId, subject } from '../../harness/approval.ts'
import { type RunningApprovals, startApprovals, WANTED } from '../../harness/approvals.ts'

const RETENTION = { days: 1, count: 1 }

function keeperOf(under: RunningApprovals, states: string[] = []): ApprovalKeeper {
  const { store, service } = under
  return new ApprovalKeeper({ store, service, retention: RETENTION, onState: (state) => states.push(state) })
}

describe('the keeper of approvals', () => {
  it('escalates and expires what is due, once, and tells of it', async () => {
    await using under = await startApprovals()
    await using keeper = keeperOf(under)
    await using another = keeperOf(under)
    await under.request()
    const rounds = () => Promise.all([keeper.round(), another.round()])
    await rounds()
    expect(under.kinds()).toEqual(['requested'])
    under.clock.advance(600_000)
    await rounds()
    expect(under.kinds()).toEqual(['requested', 'escalated'])
    under.clock.advance(1_200_000)
    await rounds()
    await rounds()
    expect(under.kinds()).toEqual(['requested', 'escalated', 'expired'])
  })

  it('knows how many wait, and for how long', async () => {
    await using under = await startApprovals()
    await using keeper = keeperOf(under)
    expect(keeper.pending).toBeUndefined()
    await under.request()
    under.clock.advance(5_000)
    await keeper.round()
    expect(keeper.pending).toMatchObject({ approval: { count: 1, oldestMs: 5_000 }, review: { count: 0 } })
  })

  it('forgets what is over, beyond what is to be kept', async () => {
    await using under = await startApprovals()
    for (const binding of ['1', '2']) {
      const { id } = await under.request({ subject: subject({ binding }) })
      await under.service.revoke(id, { by: 'alice', reason: '' })
      under.clock.advance(1_000)
    }
    await using keeper = keeperOf(under)
    await keeper.round()
    expect(await under.service.list(['revoked'], 10)).toMatchObject([{ subject: { binding: '2' } }])
  })

  it('tells when the store stops answering, once', async () => {
    await using under = await startApprovals()
    const states: string[] = []
    await using keeper = keeperOf(under, states)
    await keeper.round()
    expect(keeper.isUp).toBe(true)
    expect(states).toEqual([])
    await under.service.request(WANTED)
    await under.close()
    await keeper.round()
    await keeper.round()
    expect(states).toEqual(['down'])
    expect(keeper).toMatchObject({ isUp: false, pending: undefined })
  })

  it('lets calls go on between two that it settles, and stops between them', async () => {
    let turn = 0
    let counting = true
    const count = (): void => {
      turn += 1
      if (counting) setImmediate(count)
    }
    count()
    const settledIn: number[] = []
    const due = Array.from({ length: 100 }, (_, n) => approvalId(`approval-${n}`))
    const keeper = new ApprovalKeeper({
      store: {
        due: async () => due,
        pending: () => Promise.reject(new Error('not asked for')),
        prune: async () => 0,
      },
      service: {
        settle: async () => {
          settledIn.push(turn)
          if (settledIn.length === 50) void keeper[Symbol.asyncDispose]()
        },
      },
      retention: RETENTION,
      onState: () => {},
    })
    await keeper.round()
    counting = false
    expect(new Set(settledIn).size).toBe(50)
    expect(settledIn).toHaveLength(50)
  })
})
