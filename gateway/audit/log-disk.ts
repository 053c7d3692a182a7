import { constants } from 'node:fs'
import { mkdir, open, rename, rmdir, unlink, type FileHandle } from 'node:fs/promises'

/** An append-only file, as the log needs it. */
export interface LogFile {
  /** Writes some of `bytes` at `position`; returns how many. */
  write(bytes: Buffer, position: number): Promise<number>
  /** Makes the contents durable (fdatasync). */
  sync(): Promise<void>
  close(): Promise<void>
}

/** The disk under a log; a parameter so that tests can make each step of it fail. */
export interface LogDisk {
  /** Creates a new file, which must not exist. Its name is durable once its directory is synced. */
  create(path: string): Promise<LogFile>
  /** Opens a file for writing, emptied if it is there. */
  overwrite(path: string): Promise<LogFile>
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  removeDirectory(path: string): Promise<void>
  /** Does nothing when it is there. The folder above has to be: one that was removed must not come back empty. */
  makeDirectory(path: string): Promise<void>
  /** Without this a new name in the directory may be gone after a power loss, however often the file was synced. */
  syncDirectory(path: string): Promise<void>
}

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL
const OVERWRITE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC

export const systemDisk: LogDisk = {
  create: async (path) => logFile(await open(path, CREATE, 0o600)),
  overwrite: async (path) => logFile(await open(path, OVERWRITE, 0o600)),
  rename,
  remove: unlink,
  removeDirectory: rmdir,
  makeDirectory: async (path) => {
    try {
      await mkdir(path, { mode: 0o700 })
    } catch (cause) {
      if (!hasCode(cause, 'EEXIST')) throw cause
    }
  },
  syncDirectory,
}

function logFile(handle: FileHandle): LogFile {
  return {
    write: async (bytes, position) => (await handle.write(bytes, 0, bytes.length, position)).bytesWritten,
    sync: () => handle.datasync(),
    close: () => handle.close(),
  }
}

export async function syncDirectory(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}

/** Writes all of `bytes` from `position` on; a short write is what a full disk looks like just before it says so. */
export async function writeWhole(file: LogFile, bytes: Buffer, position: number): Promise<void> {
  let writtenBytes = 0
  while (writtenBytes < bytes.length) {
    const taken = await file.write(bytes.subarray(writtenBytes), position + writtenBytes)
    if (taken <= 0) throw new Error('the disk under the audit log took no bytes')
    writtenBytes += taken
  }
}

/** Whether there was no room, which the file itself survives: what was written is written. */
export function isDiskFull(cause: unknown): boolean {
  return hasCode(cause, 'ENOSPC') || hasCode(cause, 'EDQUOT')
}

export function hasCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code
}
