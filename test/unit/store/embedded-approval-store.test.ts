import { describe, expect, it } from 'vitest'
import { approvalId } from '../../harness/approval.ts'
import { openEmbeddedApprovals } from '../../harness/embedded-approvals.ts'
import {
  type ApprovalStoreUnderTest,
  describeApprovalStore,
  request,
  requestApproved,
} from './approval-store-contract.ts'

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

  it('refuses what a later gateway wrote, and half of one', async () => {
    await using opened = await openEmbeddedApprovals()
    await request(opened.store)
    for (const value of ['{"v":2}', '{"v":1,"id":"approval-1"}', 'null', '7']) {
      opened.file.database.prepare('UPDATE approvals SET value = ?').run(value)
      await expect(opened.store.get(approvalId('approval-1'))).rejects.toThrow('did not write')
    }
  })
})
