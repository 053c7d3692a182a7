import { join } from 'node:path'
import { readIfThere } from '../make-once.ts'
import { listEpochs } from '../read-entries.ts'
import { CHECKPOINT_FILE, parseCheckpoint } from '../tlog/checkpoint.ts'

/** A log as it was signed last. */
export interface SignedLog {
  readonly origin: string
  readonly size: number
  /** In base64. */
  readonly root: string
}

/** Every log in the directory that has been signed: what a reader compares with what `toolgate audit verify` finds. */
export async function signedLogs(auditDirectory: string): Promise<readonly SignedLog[]> {
  const logs: SignedLog[] = []
  for (const { directory } of await listEpochs(auditDirectory)) {
    const note = (await readIfThere(join(directory, CHECKPOINT_FILE)))?.toString()
    const checkpoint = note === undefined ? undefined : parseCheckpoint(note)
    if (checkpoint === undefined) continue
    const { origin, root, size } = checkpoint
    logs.push({ origin, size, root: root.toString('base64') })
  }
  return logs
}
