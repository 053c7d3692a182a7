import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { lockDirectory, type DirectoryLock } from '../../lib/directory-lock.ts'
import { readFrames } from './spill-frame.ts'

/** A file of events that an earlier process wrote, as it was found. */
export interface FoundSegment {
  readonly path: string
  readonly sizeBytes: number
  readonly events: number
  /** Bytes at its head that were uploaded before. */
  readonly sentBytes: number
  /** Bytes at its end that hold no whole event. */
  readonly tornBytes: number
  readonly writtenAtMs: number
}

export interface SpillFolder extends Disposable {
  readonly path: string
  /** What ended processes left, oldest first, now files of this folder. */
  readonly found: readonly FoundSegment[]
}

/**
 * Makes a folder of this process alone and moves into it what processes left behind whose lock is free. Locks and not
 * names tell whose is whose: the number of workers may have changed, and each process life has a folder of its own.
 */
export async function openSpillFolder(directory: string, nowMs: number): Promise<SpillFolder> {
  // Sorts by time, and no two processes of one millisecond meet.
  const name = `${new Date(nowMs).toISOString().replaceAll(/[-:.]/g, '')}-${randomBytes(4).toString('hex')}`
  const { path, lock } = await createLocked(directory, name)
  try {
    const found: FoundSegment[] = []
    for (const left of await foldersIn(directory)) {
      if (left !== name) found.push(...(await adopt(join(directory, left), path, found.length)))
    }
    return { path, found, [Symbol.dispose]: () => lock.release() }
  } catch (cause) {
    lock.release()
    throw cause
  }
}

export function segmentPath(folder: string, number: number): string {
  return join(folder, `segment-${String(number).padStart(6, '0')}.log`)
}

/** Beside a segment: how much of it was uploaded. */
export function sentPath(segment: string): string {
  return `${segment}.sent`
}

/** The folder is locked before it has its name, or a process that starts now would take it for abandoned. */
async function createLocked(directory: string, name: string): Promise<{ path: string; lock: DirectoryLock }> {
  const draft = join(directory, `.${name}`)
  const path = join(directory, name)
  await mkdir(draft, { recursive: true, mode: 0o700 })
  const lock = lockDirectory(draft)
  if (lock === undefined) throw new Error(`another process holds ${draft}`)
  await rename(draft, path)
  return { path, lock }
}

async function foldersIn(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory() && /^\d{8}T\d{9}Z-/.test(entry.name))
  return folders.map((entry) => entry.name).sort()
}

async function adopt(left: string, into: string, firstNumber: number): Promise<readonly FoundSegment[]> {
  const lock = lockDirectory(left)
  if (lock === undefined) return []
  try {
    const names = (await readdir(left)).filter((name) => /^segment-\d+\.log$/.test(name)).sort()
    const found: FoundSegment[] = []
    for (const name of names) {
      const segment = await examine(join(left, name))
      if (segment.events === 0) continue
      const path = segmentPath(into, firstNumber + found.length)
      // The note goes first: a death in between sends some events twice, and loses none.
      await rename(sentPath(segment.path), sentPath(path)).catch(ignoreMissing)
      await rename(segment.path, path)
      found.push({ ...segment, path })
    }
    await rm(left, { recursive: true })
    return found
  } catch (cause) {
    // Another process that started at the same moment may have been here first.
    if (isMissing(cause)) return []
    throw cause
  } finally {
    lock.release()
  }
}

async function examine(path: string): Promise<FoundSegment> {
  const [file, { mtimeMs }, noted] = await Promise.all([
    readFile(path),
    stat(path),
    readFile(sentPath(path), 'utf8').catch(() => ''),
  ])
  const sentBytes = /^\d+\n$/.test(noted) ? Math.min(Number(noted), file.length) : 0
  const events = readFrames(file, sentBytes)
  const endBytes = events.at(-1)?.endOffset ?? sentBytes
  return {
    path,
    sizeBytes: endBytes,
    events: events.length,
    sentBytes,
    tornBytes: file.length - endBytes,
    writtenAtMs: mtimeMs,
  }
}

function ignoreMissing(cause: unknown): void {
  if (!isMissing(cause)) throw cause
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
}
