import { type FSWatcher, statSync, watch } from 'node:fs'
import { dirname } from 'node:path'

export interface WatchOptions {
  /** How often the file is looked at whatever the watcher says. */
  readonly pollMs?: number
  /** How long a file must be quiet before it counts as written. */
  readonly settleMs?: number
}

/**
 * Calls back after a file's content may have changed. Watches the folder, because editors and Kubernetes replace
 * files and swap symlinks, and looks again on a timer, because a watcher on a mounted volume may stay silent.
 */
export function watchFile(path: string, onChange: () => void, options: WatchOptions = {}): Disposable {
  const { pollMs = 5_000, settleMs = 50 } = options
  let seen = fingerprint(path)
  let settling: NodeJS.Timeout | undefined

  const look = (): void => {
    const now = fingerprint(path)
    if (now === seen) return
    seen = now
    onChange()
  }
  const settle = (): void => {
    clearTimeout(settling)
    settling = setTimeout(look, settleMs)
  }
  const watcher = watchFolder(dirname(path), settle)
  const poll = setInterval(look, pollMs).unref()
  return {
    [Symbol.dispose](): void {
      watcher?.close()
      clearInterval(poll)
      clearTimeout(settling)
    },
  }
}

function watchFolder(folder: string, onEvent: () => void): FSWatcher | undefined {
  try {
    // Watch limits and odd file systems make the watcher fail; the poll remains.
    return watch(folder, { persistent: false }, onEvent).on('error', () => undefined)
  } catch {
    return undefined
  }
}

/** Follows symlinks; empty when there is no file. */
function fingerprint(path: string): string {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stats === undefined ? '' : `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}`
}
