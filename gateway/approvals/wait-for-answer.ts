import { once } from 'node:events'
import type { ApprovalStore } from '../store/approval-store.ts'
import type { Approval, ApprovalId } from './approval.ts'

/** The store tells of changes; this is for those that it could not tell of. */
const ASK_AGAIN_MS = 5_000

export interface Waiting {
  readonly id: ApprovalId
  readonly store: Pick<ApprovalStore, 'watch'>
  readonly lookup: () => Promise<Approval | undefined>
  readonly signal: AbortSignal
}

/** Resolves with the approval once it is no longer pending, or as it was last seen once `signal` is aborted. */
export async function waitForAnswer({ id, store, lookup, signal }: Waiting): Promise<Approval | undefined> {
  const changes = new EventTarget()
  let changed = false
  const tell = (): void => {
    changed = true
    changes.dispatchEvent(new Event('change'))
  }
  const stopWatching = store.watch(id, tell)
  // A fleet of held calls does not ask in step.
  const askAgain = setInterval(tell, ASK_AGAIN_MS * (0.75 + Math.random() / 2)).unref()
  signal.addEventListener('abort', tell)
  let seen: Approval | undefined
  let failure: unknown
  try {
    for (;;) {
      changed = false
      try {
        seen = await lookup()
        if (seen?.state !== 'pending') return seen
      } catch (cause) {
        failure = cause
      }
      if (signal.aborted) break
      if (!changed) await once(changes, 'change')
    }
    if (seen === undefined) throw failure
    return seen
  } finally {
    stopWatching()
    clearInterval(askAgain)
    signal.removeEventListener('abort', tell)
  }
}
