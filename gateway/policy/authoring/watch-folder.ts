import { watch } from 'node:fs'
import { join } from 'node:path'
import { RULE_FOLDERS } from './read-sources.ts'

/** How long nothing has to be saved before what was saved counts as whole. */
const SETTLE_MS = 40

/**
 * Calls back after rules or data below a policy folder were saved. What is derived from them lies outside the two
 * folders that are watched, so that building does not call for building.
 *
 * @throws Error when there is no folder of rules
 */
export function watchPolicyFolder(directory: string, onSave: () => void): Disposable {
  let settling: NodeJS.Timeout | undefined
  const notice = (): void => {
    clearTimeout(settling)
    settling = setTimeout(onSave, SETTLE_MS)
  }
  const watchers = [...RULE_FOLDERS, 'data'].flatMap((name) => {
    try {
      return [watch(join(directory, name), { recursive: true }, notice).on('error', () => undefined)]
    } catch (cause) {
      if (name !== 'gateway') return []
      throw new Error(`${join(directory, name)} cannot be watched`, { cause })
    }
  })
  return {
    [Symbol.dispose]() {
      clearTimeout(settling)
      for (const watcher of watchers) watcher.close()
    },
  }
}
