import { readFileSync } from 'node:fs'

/** Files that a process has open beside its connections. */
export const OTHER_FILES = 200

export function openFilesLimit(): number {
  return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 1_024)
}
