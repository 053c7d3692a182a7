import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BundleError } from './bundle-error.ts'

/** The last good bundle of one service, on disk. */
export interface KeptBundle {
  /** `undefined` when none was kept. @throws BundleError `unreadable` or `archive` */
  read(): Promise<Buffer | undefined>
  /** Puts it in place of the one before in one step: a crash leaves the old one or the new one, never a part. */
  write(bytes: Buffer): Promise<void>
}

/** @param location names the service: what one service gave is never used for another */
export function keptBundle(directory: string, location: string, maxBytes: number): KeptBundle {
  const name = createHash('sha256').update(location).digest('hex').slice(0, 16)
  const path = join(directory, `${name}.tar.gz`)
  return {
    async read() {
      try {
        const { size } = await stat(path)
        if (size > maxBytes) throw new BundleError('archive', `${path} is larger than ${maxBytes} bytes`)
        return await readFile(path)
      } catch (cause) {
        if (cause instanceof BundleError) throw cause
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw new BundleError('unreadable', `${path} cannot be read`, { cause })
      }
    },
    async write(bytes) {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      // A name of its own: several processes of one gateway may keep the same bundle at once.
      const next = join(directory, `.${name}.${randomUUID()}`)
      try {
        await using file = await open(next, 'wx', 0o600)
        await file.writeFile(bytes)
        await file.sync()
        await rename(next, path)
      } catch (cause) {
        await rm(next, { force: true })
        throw cause
      }
    },
  }
}
