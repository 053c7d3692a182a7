import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'

/** An append-only file, as the log needs it. */
export interface LogFile {
  /** Writes some of `bytes` at `position`; returns how many. */
  write(bytes: Buffer, position: number): Promise<number>
  /** Makes the contents durable (fdatasync). */
  sync(): Promise<void>
  close(): Promise<void>
}

/** The disk under a log; a parameter so that tests can make it fail. */
export interface LogDisk {
  /** Creates a new file, which must not exist, and makes its name durable. */
  create(path: string): Promise<LogFile>
}

export const systemDisk: LogDisk = {
  async create(path) {
    const handle = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
    await syncDirectory(dirname(path))
    return {
      write: async (bytes, position) => (await handle.write(bytes, 0, bytes.length, position)).bytesWritten,
      sync: () => handle.datasync(),
      close: () => handle.close(),
    }
  },
}

/** Without this a new name in the directory may be gone after a power loss, however often the file was synced. */
export async function syncDirectory(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}
