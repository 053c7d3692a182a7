import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ApprovalStore } from '../../gateway/store/approval-store.ts'
import { type ControlFile, openControlFile } from '../../gateway/store/control-file.ts'
import { createEmbeddedApprovalStore } from '../../gateway/store/embedded-approval-store.ts'
import { type VirtualClock, virtualClock } from './virtual-clock.ts'

export interface EmbeddedApprovals extends AsyncDisposable {
  readonly store: ApprovalStore
  readonly file: ControlFile
  readonly path: string
  readonly clock: VirtualClock
  close(): Promise<void>
}

/** Approvals in a file of their own, gone when disposed, whose time stands still until it is told to go on. */
export async function openEmbeddedApprovals(given?: string): Promise<EmbeddedApprovals> {
  const folder = given === undefined ? mkdtempSync(join(tmpdir(), 'toolgate-approvals-')) : undefined
  const path = given ?? join(folder ?? '', 'control.db')
  const clock = virtualClock()
  const file = openControlFile({
    path,
    onFailure: (cause) => {
      throw new Error('the control file failed', { cause })
    },
  })
  const store = createEmbeddedApprovalStore({ file, clock })
  let open = true
  const close = async (): Promise<void> => {
    if (!open) return
    open = false
    await store[Symbol.asyncDispose]()
    file[Symbol.dispose]()
  }
  return {
    store,
    file,
    path,
    clock,
    close,
    [Symbol.asyncDispose]: async () => {
      await close()
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}
