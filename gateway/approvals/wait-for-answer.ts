import { once } from 'node:events'
import type { ApprovalStore, Reading } from '../store/approval-store.ts'
import type { Approval, ApprovalId } from './approval.ts'
import { endsAtMs, settle } from './lifetime.ts'

/** After a read that failed; a store that answers tells of every change by itself. */
const READ_AGAIN_MS = 5_000
/** What a timer can hold. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export interface Waiting {
  readonly id: ApprovalId
  readonly store: Pick<ApprovalStore, 'watch'>
  readonly read: () => Promise<Reading | undefined>
  readonly signal: AbortSignal
}

/**
 * Resolves with the approval once it is no longer pending, or as it was last seen once `signal` is aborted. It is read when it
 * changed and when its time is over, and at no other time: thousands of calls may wait.
 */
export async function waitForAnswer({ id, store, read, signal }: Waiting): Promise<Approval | undefined> {
  const changes = new EventTarget()
  let changed = false
  const tell = (): void => {
    changed = true
    changes.dispatchEvent(new Event('change'))
  }
  const stopWatching = store.watch(id, tell)
  signal.addEventListener('abort', tell)
  let timer: NodeJS.Timeout | undefined
  let seen: Approval | undefined
  let failure: unknown
  try {
    for (;;) {
      changed = false
      let readAgainMs: number
      try {
        const reading = await read()
        seen = reading && settle(reading.approval, reading.nowMs)
        if (reading === undefined || seen?.state !== 'pending') return seen
        readAgainMs = Math.min(endsAtMs(seen) - reading.nowMs, LONGEST_TIMER_MS)
      } catch (cause) {
        failure = cause
        // A fleet of held calls does not ask in step.
        readAgainMs = READ_AGAIN_MS * (0.75 + Math.random() / 2)
      }
      if (signal.aborted) break
      clearTimeout(timer)
      timer = setTimeout(tell, readAgainMs).unref()
      if (!changed) await once(changes, 'change')
    }
    if (seen === undefined) throw failure
    return seen
  } finally {
    stopWatching()
    clearTimeout(timer)
    signal.removeEventListener('abort', tell)
  }
}
