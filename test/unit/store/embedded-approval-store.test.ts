import { describe, expect, it, vi } from 'vitest'
import type { ControlFile } from '../../../gateway/store/control-file.ts'
import { createEmbeddedApprovalStore } from '../../../gateway/store/embedded-approval-store.ts'
import { approvalId } from '../../harness/approval.ts'
import { openEmbeddedApprovals } from '../../harness/embedded-approvals.ts'
import { until } from '../../harness/until.ts'
import { request, requestApproved } from './approval-requests.ts'
import { type ApprovalStoreUnderTest, describeApprovalStore } from './approval-store-contract.ts'

describeApprovalStore('the embedded store', async (): Promise<ApprovalStoreUnderTest> => {
  await using stack = new AsyncDisposableStack()
  const one = stack.use(await openEmbeddedApprovals())
  const other = stack.use(await openEmbeddedApprovals(one.path))
  const owned = stack.move()
  return {
    store: one.store,
    other: other.store,
    advance: async (ms) => {
      one.clock.advance(ms)
      other.clock.advance(ms)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
})

describe('the embedded store of approvals', () => {
  it('has everything again after a restart', async () => {
    await using first = await openEmbeddedApprovals()
    const id = await requestApproved(first.store)
    const kept = (await first.store.get(id))?.approval
    await first.close()
    await using second = await openEmbeddedApprovals(first.path)
    expect((await second.store.get(id))?.approval).toEqual(kept)
    expect(await request(second.store, { id: 'approval-2' })).toMatchObject({ kind: 'known' })
  })

  it('tells of a change that it was not told of itself', async () => {
    await using opened = await openEmbeddedApprovals()
    const { file, clock } = opened
    const watch: ControlFile['watch'] = ({ heard }) =>
      file.watch({ changed: () => {}, ...(heard && { heard }) })
    await using deaf = createEmbeddedApprovalStore({ file: { ...file, watch }, clock })
    await request(opened.store)
    let told = 0
    deaf.watch(approvalId('approval-1'), () => told++)
    await opened.store.change(approvalId('approval-1'), (approval) => ({ next: approval, answer: 1 }))
    await until(() => told > 0)
    expect(told).toBe(1)
  })

  it('tells of changes after the newest of those before was forgotten', async () => {
    await using opened = await openEmbeddedApprovals()
    const { store } = opened
    await request(store)
    await request(store, { id: 'approval-2', subject: { binding: 'c'.repeat(64) } })
    let told = 0
    store.watch(approvalId('approval-1'), () => told++)
    await store.change(approvalId('approval-2'), (approval, nowMs) => ({
      next: { ...approval, state: 'denied', resolvedAtMs: nowMs },
      answer: 1,
    }))
    expect(await store.prune({ keptMs: 3_600_000, keptCount: 0 })).toBe(1)
    await store.change(approvalId('approval-1'), (approval) => ({ next: approval, answer: 1 }))
    await until(() => told > 0)
    expect(told).toBe(1)
  })

  it('counts those that wait with an index alone', async () => {
    await using opened = await openEmbeddedApprovals()
    const prepare = vi.spyOn(opened.file.database, 'prepare')
    await using _another = createEmbeddedApprovalStore(opened)
    const counting = prepare.mock.calls.flatMap(([sql]) => (/count\(\*\)/.test(sql) ? [sql] : []))
    expect(counting).toHaveLength(2)
    for (const sql of counting) {
      const plan = opened.file.database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all()
      const looks = plan.map(({ detail }) => String(detail)).filter((detail) => detail.includes('approvals'))
      expect(looks.filter((detail) => !detail.includes('COVERING INDEX'))).toEqual([])
    }
  })

  it('refuses what a later gateway wrote, and half of one', async () => {
    await using opened = await openEmbeddedApprovals()
    await request(opened.store)
    for (const value of ['{"v":2}', '{"v":1,"id":"approval-1"}', 'null', '7']) {
      opened.file.database.prepare('UPDATE approvals SET value = ?').run(value)
      await expect(opened.store.get(approvalId('approval-1'))).rejects.toThrow('did not write')
    }
  })
})
