import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Approval, ApprovalId } from '../../../gateway/approvals/approval.ts'
import { waitForAnswer } from '../../../gateway/approvals/wait-for-answer.ts'
import type { Reading } from '../../../gateway/store/approval-store.ts'
import { ChangeCallbacks } from '../../../gateway/store/change-callbacks.ts'
import { approvalId, pendingApproval } from '../../harness/approval.ts'

const MINUTE_MS = 60_000

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A store that counts how often it is read, and tells of nothing but what the test tells of. */
function countingStore() {
  const callbacks = new ChangeCallbacks()
  const approvals = new Map<ApprovalId, Approval>()
  const store = {
    reads: 0,
    fails: false,
    put: (approval: Approval): ApprovalId => {
      approvals.set(approval.id, approval)
      return approval.id
    },
    tell: (id: ApprovalId): void => callbacks.changed(id),
    wait: (id: ApprovalId, signal = new AbortController().signal) =>
      waitForAnswer({
        id,
        store: { watch: (watched, onChange) => callbacks.watch(watched, onChange) },
        read: async (): Promise<Reading | undefined> => {
          store.reads += 1
          if (store.fails) throw new Error('away')
          const approval = approvals.get(id)
          return approval && { approval, nowMs: Date.now() }
        },
        signal,
      }),
  }
  return store
}

function pendingNow(id: string): Approval {
  return pendingApproval({ id, nowMs: Date.now() })
}

describe('a call that waits for people', () => {
  it('is read once, and again when it has changed, however many wait beside it', async () => {
    const store = countingStore()
    const ids = Array.from({ length: 1_000 }, (_, n) => store.put(pendingNow(`approval-${n}`)))
    const waiting = ids.map((id) => store.wait(id))
    await vi.advanceTimersByTimeAsync(MINUTE_MS)
    expect(store.reads).toBe(1_000)
    const first = approvalId('approval-0')
    store.put({ ...pendingNow(first), state: 'denied' })
    store.tell(first)
    expect(await waiting[0]).toMatchObject({ state: 'denied' })
    expect(store.reads).toBe(1_001)
  })

  it('asks again by itself after the store failed to answer', async () => {
    const store = countingStore()
    store.fails = true
    const waiting = store.wait(store.put(pendingNow('approval-1')))
    await vi.advanceTimersByTimeAsync(6_250)
    expect(store.reads).toBe(2)
    store.fails = false
    store.put({ ...pendingNow('approval-1'), state: 'denied' })
    await vi.advanceTimersByTimeAsync(6_250)
    expect(await waiting).toMatchObject({ state: 'denied' })
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is over when its time is, whether or not anybody puts that down', async () => {
    const store = countingStore()
    const approval = pendingNow('approval-1')
    const waiting = store.wait(store.put(approval))
    await vi.advanceTimersByTimeAsync(approval.terms.expiresAtMs - Date.now())
    expect(await waiting).toMatchObject({ state: 'expired' })
    expect(store.reads).toBe(2)
  })

  it('leaves nothing behind when it waits no longer', async () => {
    const store = countingStore()
    const call = new AbortController()
    const waiting = store.wait(store.put(pendingNow('approval-1')), call.signal)
    await vi.advanceTimersByTimeAsync(0)
    call.abort()
    expect(await waiting).toMatchObject({ state: 'pending' })
    expect(vi.getTimerCount()).toBe(0)
  })
})
