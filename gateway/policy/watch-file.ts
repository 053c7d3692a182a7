import { watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface WatchOptions {
  /** How often to look regardless of notices, milliseconds: network file systems send none. */
  readonly restatMs: number
  /** How long the file has to stay as it is before it counts as written, milliseconds. */
  readonly settleMs?: number
  readonly onChange: () => void
}

/**
 * Calls `onChange` when the file behind `path` is another than before, and once at first, because nobody knows
 * whether it changed between being loaded and being watched. Watches the folder, not the file: editors
 * and `mv` put a new file in its place, and Kubernetes swaps the `..data` link that the path leads through.
 * Does not keep the process alive.
 */
export function watchFile(path: string, { restatMs, settleMs = 50, onChange }: WatchOptions): Disposable {
  let seen: string | undefined
  let unsettled: string | undefined
  let settling: NodeJS.Timeout | undefined
  let closed = false

  const look = async (): Promise<void> => {
    const current = await fingerprint(path)
    // Other files of the folder may change all the time: notices of those must not put off what is settling.
    if (closed || current === undefined || current === seen || current === unsettled) return
    unsettled = current
    clearTimeout(settling)
    settling = setTimeout(() => void settle(current), settleMs)
    settling.unref()
  }
  const settle = async (earlier: string): Promise<void> => {
    const current = await fingerprint(path)
    if (closed || earlier !== unsettled) return
    unsettled = undefined
    // Not what it was a moment ago: somebody is still writing.
    if (current !== earlier) return look()
    seen = current
    onChange()
  }

  let watcher: FSWatcher | undefined
  try {
    watcher = watch(dirname(path), { persistent: false }, () => void look())
    // The folder is gone or notices ran out: looking at intervals goes on.
    watcher.on('error', () => watcher?.close())
  } catch {
    watcher = undefined
  }
  const interval = setInterval(() => void look(), restatMs)
  interval.unref()
  void look()

  return {
    [Symbol.dispose]() {
      closed = true
      watcher?.close()
      clearInterval(interval)
      clearTimeout(settling)
    },
  }
}

/** Follows symbolic links; `undefined` while there is no file. */
async function fingerprint(path: string): Promise<string | undefined> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
    return [dev, ino, size, mtimeNs, ctimeNs].join(':')
  } catch {
    return undefined
  }
}
