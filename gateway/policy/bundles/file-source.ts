import { readFile, stat } from 'node:fs/promises'
import type { Clock } from '../../lib/clock.ts'
import { fingerprintOf, watchFile } from '../../lib/watch-file.ts'
import { BUNDLE_LIMITS } from './bundle.ts'
import { BundleError } from './bundle-error.ts'
import { SourceHistory } from './bundle-source.ts'
import type { BundleSource } from './bundle-source.ts'

export interface FileSourceOptions {
  readonly path: string
  readonly clock: Clock
  /** How often the file is looked at beside the notices of the file system; milliseconds. */
  readonly restatMs?: number | undefined
}

/** The bundle in a file, read again whenever the file is another. */
export function createFileSource({ path, clock, restatMs = 2000 }: FileSourceOptions): BundleSource {
  let seen: string | undefined
  const history = new SourceHistory(() => clock.nowMs())
  let watching: Disposable | undefined
  return {
    async read() {
      seen ??= fingerprintOf(path)
      history.asked()
      const bytes = await readBundle(path)
      history.answered(true)
      return { bytes }
    },
    taken: async () => undefined,
    kept: async () => undefined,
    follow: (reload) => {
      watching = watchFile(path, () => void reload(), {
        ...(seen !== undefined && { seen }),
        pollMs: restatMs,
      })
    },
    status: () => ({ kind: 'file', location: path, ...history.times() }),
    [Symbol.dispose]: () => watching?.[Symbol.dispose](),
  }
}

async function readBundle(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path)
    if (size > BUNDLE_LIMITS.maxCompressedBytes) {
      throw new BundleError('archive', `${path} is larger than ${BUNDLE_LIMITS.maxCompressedBytes} bytes`)
    }
    return await readFile(path)
  } catch (cause) {
    if (cause instanceof BundleError) throw cause
    throw new BundleError('unreadable', `${path} cannot be read`, { cause })
  }
}
