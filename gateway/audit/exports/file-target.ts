import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import type { ExportTarget } from './target.ts'

const STEP_BYTES = 65_536

/**
 * Adds JSON Lines to a file. It is opened for each batch, so that it may be moved away at any time, and a line that a
 * crash or a full disk cut off is taken back: its batch was never acknowledged, and comes again.
 */
export function createFileTarget(path: string): ExportTarget {
  return {
    async deliver(events) {
      const { O_RDWR, O_CREAT, O_APPEND } = constants
      await using file = await open(path, O_RDWR | O_CREAT | O_APPEND, 0o600)
      const { size } = await file.stat()
      const whole = await endOfLastLine(file, size)
      if (whole < size) await file.truncate(whole)
      await file.writeFile(events.map(({ line }) => `${line}\n`).join(''))
      await file.datasync()
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

async function endOfLastLine(file: FileHandle, size: number): Promise<number> {
  const step = Buffer.alloc(STEP_BYTES)
  for (let end = size; end > 0; end -= STEP_BYTES) {
    const start = Math.max(0, end - STEP_BYTES)
    const { bytesRead } = await file.read(step, 0, end - start, start)
    const at = step.subarray(0, bytesRead).lastIndexOf('\n')
    if (at !== -1) return start + at + 1
  }
  return 0
}
