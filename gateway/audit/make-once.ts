import { randomBytes } from 'node:crypto'
import { link, open, readFile, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { hasCode, syncDirectory } from './log-disk.ts'

/**
 * Reads the file, or makes it with what `make` gives, for its owner alone; processes that start together end up with
 * the same one.
 */
export async function makeOnce(path: string, make: () => Buffer): Promise<Buffer> {
  const existing = await readIfThere(path)
  if (existing !== undefined) return existing
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  const made = make()
  await writeDurably(draft, made)
  try {
    // A link either makes the name with the whole contents behind it, or fails because another one was first.
    await link(draft, path)
    await syncDirectory(dirname(path))
    return made
  } catch (cause) {
    if (!hasCode(cause, 'EEXIST')) throw cause
  } finally {
    await unlink(draft)
  }
  return readFile(path)
}

/** Makes a file that is not there yet, for its owner alone. */
export async function writeDurably(path: string, bytes: Buffer): Promise<void> {
  await using handle = await open(path, 'wx', 0o600)
  await handle.writeFile(bytes)
  await handle.sync()
}

export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return undefined
    throw cause
  }
}
