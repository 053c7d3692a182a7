import { systemDisk, type LogDisk, type LogFile } from '../../gateway/audit/log-disk.ts'

/** One thing that a log asks of its disk. */
export interface DiskStep {
  readonly operation: 'write' | 'sync' | keyof LogDisk
  readonly path: string
}

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
  /** Called before every step; what it throws is how the step ends. */
  beforeEach(hook: (step: DiskStep) => void | Promise<void>): void
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
  let before: (step: DiskStep) => void | Promise<void> = () => undefined
  const wrap = (path: string, file: LogFile): LogFile => ({
    async write(bytes, position) {
      await before({ operation: 'write', path })
      writes++
      if (hanging) return new Promise(() => undefined)
      if (writeError !== undefined) throw writeError
      return file.write(bytes.subarray(0, writeLimitBytes), position)
    },
    async sync() {
      await before({ operation: 'sync', path })
      syncs++
      await held
      if (syncError !== undefined) throw syncError
      await file.sync()
    },
    close: () => file.close(),
  })
  const stepped = <Result>(
    operation: DiskStep['operation'],
    act: (path: string, to: string) => Promise<Result>,
  ) => {
    return async (path: string, to = ''): Promise<Result> => {
      await before({ operation, path })
      return act(path, to)
    }
  }
  return {
    create: stepped('create', async (path) => wrap(path, await systemDisk.create(path))),
    overwrite: stepped('overwrite', async (path) => wrap(path, await systemDisk.overwrite(path))),
    rename: stepped('rename', (path, to) => systemDisk.rename(path, to)),
    remove: stepped('remove', (path) => systemDisk.remove(path)),
    removeDirectory: stepped('removeDirectory', (path) => systemDisk.removeDirectory(path)),
    makeDirectory: stepped('makeDirectory', (path) => systemDisk.makeDirectory(path)),
    syncDirectory: stepped('syncDirectory', (path) => systemDisk.syncDirectory(path)),
    beforeEach: (hook) => {
      before = hook
    },
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
