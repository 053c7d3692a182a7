import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode, syncDirectory } from '../log-disk.ts'

const HOLDS_FILE = 'holds.json'

/** A legal hold: nothing of its time is pruned or erased before somebody releases it. */
export interface Hold {
  readonly name: string
  readonly reason: string
  readonly fromMs: number
  readonly toMs: number
  readonly setAtMs: number
}

/** @throws when the file is not as this program writes it: a hold that cannot be read must not be passed over */
export async function readHolds(auditDirectory: string): Promise<readonly Hold[]> {
  const path = join(auditDirectory, HOLDS_FILE)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return []
    throw cause
  }
  const holds = parse(text)
  if (!Array.isArray(holds) || !holds.every(isHold)) throw new Error(`${path} is not a list of holds`)
  return holds
}

export async function writeHolds(auditDirectory: string, holds: readonly Hold[]): Promise<void> {
  const path = join(auditDirectory, HOLDS_FILE)
  const draft = `${path}.draft`
  {
    await using handle = await open(draft, 'w', 0o600)
    await handle.writeFile(`${JSON.stringify(holds, undefined, 2)}\n`)
    await handle.sync()
  }
  await rename(draft, path)
  await syncDirectory(auditDirectory)
}

/** The first hold that covers some of the time from `fromMs` to `toMs`. */
export function holdOver(holds: readonly Hold[], fromMs: number, toMs: number): Hold | undefined {
  return holds.find((hold) => hold.fromMs <= toMs && fromMs <= hold.toMs)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isHold(value: unknown): value is Hold {
  if (typeof value !== 'object' || value === null) return false
  const { name, reason, fromMs, toMs, setAtMs } = value as Record<string, unknown>
  return (
    typeof name === 'string' &&
    typeof reason === 'string' &&
    typeof fromMs === 'number' &&
    typeof toMs === 'number' &&
    typeof setAtMs === 'number'
  )
}
