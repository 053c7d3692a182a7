import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from '../log-disk.ts'
import type { EpochPath } from '../read-entries.ts'
import { LOG_START, type LogPosition } from './read-log.ts'

/** Beside the logs; a folder without folders, so that it is taken for no node. */
export const EXPORTS_FOLDER = 'exports'

/** How far an export is in one log; what lies before the position has been acknowledged by its target. */
export interface Cursor extends LogPosition {
  /** There is nothing more to come. */
  readonly ended: boolean
}

export class Cursors {
  readonly #folder: string
  readonly #name: string

  constructor(auditDirectory: string, name: string) {
    this.#folder = join(auditDirectory, EXPORTS_FOLDER)
    this.#name = name
  }

  /** The beginning of the log where there is no cursor, or none that can be read: twice is better than never. */
  async read(log: EpochPath): Promise<Cursor> {
    try {
      const parsed: unknown = JSON.parse(await readFile(this.#file(log), 'utf8'))
      if (isCursor(parsed)) return parsed
    } catch (cause) {
      if (!hasCode(cause, 'ENOENT') && !(cause instanceof SyntaxError)) throw cause
    }
    return { ...LOG_START, ended: false }
  }

  /** The old cursor or the new one, whenever power goes. */
  async write(log: EpochPath, { segment, offset, next, ended }: Cursor): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const file = this.#file(log)
    {
      await using handle = await open(`${file}.draft`, 'w', 0o600)
      await handle.writeFile(`${JSON.stringify({ segment, offset, next, ended })}\n`)
      await handle.datasync()
    }
    await rename(`${file}.draft`, file)
  }

  #file({ node, epoch }: EpochPath): string {
    return join(this.#folder, `${this.#name}@${node}@${epoch}.json`)
  }
}

/** The first of these exports that has not had all of a log; `undefined` when each has. */
export async function exportBehind(
  auditDirectory: string,
  names: readonly string[],
  log: EpochPath,
): Promise<string | undefined> {
  for (const name of names) {
    if (!(await new Cursors(auditDirectory, name).read(log)).ended) return name
  }
  return undefined
}

function isCursor(value: unknown): value is Cursor {
  if (typeof value !== 'object' || value === null) return false
  const { segment, offset, next, ended } = value as Record<string, unknown>
  return isCount(segment) && segment > 0 && isCount(offset) && isCount(next) && typeof ended === 'boolean'
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
