import { systemDisk, type LogDisk, type LogFile } from '../../gateway/audit/log-disk.ts'

/** A real disk whose operations can be made to fail, or to wait, from one moment to the next. */
export interface FailingDisk extends LogDisk {
  /** Every write from now on fails with this. */
  failWrites(cause: Error): void
  /** Every fsync from now on fails with this. */
  failSyncs(cause: Error): void
  /** Writes take so many bytes at most, as a disk does that is nearly full. */
  limitWrites(sizeBytes: number): void
  /** Fsyncs wait until the returned function is called. */
  holdSyncs(): () => void
  /** Writes never come back. */
  hangWrites(): void
  syncs(): number
  writes(): number
}

export function failingDisk(): FailingDisk {
  let writeError: Error | undefined
  let syncError: Error | undefined
  let writeLimitBytes = Number.POSITIVE_INFINITY
  let held: Promise<void> = Promise.resolve()
  let hanging = false
  let syncs = 0
  let writes = 0
  const wrap = (file: LogFile): LogFile => ({
    async write(bytes, position) {
      writes++
      if (hanging) return new Promise(() => undefined)
      if (writeError !== undefined) throw writeError
      return file.write(bytes.subarray(0, writeLimitBytes), position)
    },
    async sync() {
      syncs++
      await held
      if (syncError !== undefined) throw syncError
      await file.sync()
    },
    close: () => file.close(),
  })
  return {
    create: async (path) => wrap(await systemDisk.create(path)),
    failWrites: (cause) => {
      writeError = cause
    },
    failSyncs: (cause) => {
      syncError = cause
    },
    limitWrites: (sizeBytes) => {
      writeLimitBytes = sizeBytes
    },
    holdSyncs: () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      held = promise
      return resolve
    },
    hangWrites: () => {
      hanging = true
    },
    syncs: () => syncs,
    writes: () => writes,
  }
}
