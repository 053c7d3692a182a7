import { type FSWatcher, statSync, watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface WatchOptions {
  /** {@link fingerprintOf} the file before it was read; without it, what is there now counts as known. */
  readonly seen?: string
  /** How often the file is looked at whatever the watcher says: network file systems send no notices. */
  readonly pollMs?: number
  /** How long the file has to stay as it is before it counts as written. */
  readonly settleMs?: number
}

/**
 * Calls back when the file behind `path` is another than the one seen last, or is gone. Watches the folder, not the
 * file: editors and `mv` put a new file in its place, and Kubernetes swaps the `..data` link that the path leads
 * through. Does not keep the process alive.
 */
export function watchFile(path: string, onChange: () => void, options: WatchOptions = {}): Disposable {
  const { pollMs = 5_000, settleMs = 50 } = options
  let seen = options.seen ?? fingerprintOf(path)
  let unsettled: string | undefined
  let settling: NodeJS.Timeout | undefined
  let closed = false

  const look = async (): Promise<void> => {
    const current = await currentFingerprint(path)
    // Other files of the folder may change all the time: notices of those must not put off what is settling.
    if (closed || current === seen || current === unsettled) return
    unsettled = current
    clearTimeout(settling)
    settling = setTimeout(() => void settle(current), settleMs).unref()
  }
  const settle = async (earlier: string): Promise<void> => {
    const current = await currentFingerprint(path)
    if (closed || earlier !== unsettled) return
    unsettled = undefined
    // Not what it was a moment ago: somebody is still writing.
    if (current !== earlier) return look()
    seen = current
    onChange()
  }

  const watcher = watchFolder(dirname(path), () => void look())
  const poll = setInterval(() => void look(), pollMs).unref()
  void look()
  return {
    [Symbol.dispose](): void {
      closed = true
      watcher?.close()
      clearInterval(poll)
      clearTimeout(settling)
    },
  }
}

function watchFolder(folder: string, onEvent: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, onEvent)
    // The folder is gone, or notices ran out: the poll remains.
    return watcher.on('error', () => watcher.close())
  } catch {
    return undefined
  }
}

/** Tells two states of a file apart, following symbolic links; empty while there is none. */
export function fingerprintOf(path: string): string {
  try {
    return textOf(statSync(path, { bigint: true }))
  } catch {
    return ''
  }
}

async function currentFingerprint(path: string): Promise<string> {
  try {
    return textOf(await stat(path, { bigint: true }))
  } catch {
    return ''
  }
}

function textOf(stats: Readonly<Record<'dev' | 'ino' | 'size' | 'mtimeNs' | 'ctimeNs', bigint>>): string {
  return [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(':')
}
