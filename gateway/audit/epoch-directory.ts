import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { lockDirectory, type DirectoryLock } from '../lib/directory-lock.ts'
import { syncDirectory } from './log-disk.ts'

/** The directory is locked before it has its name, or a process that starts now would recover it as abandoned. */
export async function createEpochDirectory(
  nodeDirectory: string,
  epoch: string,
): Promise<{ directory: string; lock: DirectoryLock }> {
  const draft = join(nodeDirectory, `.${epoch}`)
  const directory = join(nodeDirectory, epoch)
  await mkdir(draft, { mode: 0o700 })
  const lock = lockDirectory(draft)
  if (lock === undefined) throw new Error(`another process holds ${draft}`)
  await rename(draft, directory)
  await syncDirectory(nodeDirectory)
  return { directory, lock }
}
