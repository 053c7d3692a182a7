import { existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { CorruptLog } from '../corrupt-log.ts'
import { readFrame } from '../frame.ts'
import { hasCode } from '../log-disk.ts'
import type { EpochPath } from '../read-entries.ts'
import { headerOf } from '../read-segment.ts'
import { RECOVERED_FILE } from '../recover.ts'
import { segmentName } from '../segment-file.ts'

/** Larger than any frame. */
const CHUNK_BYTES = 262_144

/** Between two frames of a log. */
export interface LogPosition {
  readonly segment: number
  readonly offset: number
  /** Index of the entry that comes next. */
  readonly next: number
}

export const LOG_START: LogPosition = { segment: 1, offset: 0, next: 0 }

/** Entries that follow a position, as many as one read gives. */
export interface LogPart {
  readonly entries: readonly { readonly index: number; readonly bytes: Buffer }[]
  readonly after: LogPosition
  /** `waiting`: no more for now · `ended`: no more for good. */
  readonly state: 'more' | 'waiting' | 'ended'
}

/**
 * Reads on from `from` in a log that may be written to meanwhile: a frame that is not whole yet ends the part. Throws
 * {@link CorruptLog} where a frame never will be whole.
 */
export async function readLog(path: EpochPath, from: LogPosition, maxEntries: number): Promise<LogPart> {
  // Looked at before the file is: what is read after that is all there is.
  const hasEnded = existsSync(join(path.directory, RECOVERED_FILE))
  const hasNext = existsSync(join(path.directory, segmentName(from.segment + 1)))
  const file = join(path.directory, segmentName(from.segment))
  const chunk = await readChunk(file, from.offset)
  if (chunk === undefined) {
    if (hasNext || from.segment > 1) throw new CorruptLog(file, 0, 'an audit segment is missing')
    return { entries: [], after: from, state: hasEnded ? 'ended' : 'waiting' }
  }
  if (from.offset === 0) expectFollowing(file, chunk, path, from)
  const entries: LogPart['entries'][number][] = []
  let at = 0
  let frame = readFrame(chunk, at)
  for (; frame !== undefined && entries.length < maxEntries; frame = readFrame(chunk, at)) {
    if (!frame.control) entries.push({ index: from.next + entries.length, bytes: frame.payload })
    at = frame.nextOffset
  }
  const after = { segment: from.segment, offset: from.offset + at, next: from.next + entries.length }
  // Another frame, or the beginning of one: a chunk ends anywhere.
  if (frame !== undefined || (chunk.length === CHUNK_BYTES && at > 0))
    return { entries, after, state: 'more' }
  if (!hasNext && !hasEnded) return { entries, after, state: 'waiting' }
  if (at < chunk.length) throw new CorruptLog(file, after.offset, 'durable audit entries have changed')
  if (!hasNext) return { entries, after, state: 'ended' }
  return { entries, after: { segment: from.segment + 1, offset: 0, next: after.next }, state: 'more' }
}

/** `undefined` where there is no such file. */
async function readChunk(file: string, offset: number): Promise<Buffer | undefined> {
  try {
    await using handle = await open(file, 'r')
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, offset)
    return chunk.subarray(0, bytesRead)
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return undefined
    throw cause
  }
}

function expectFollowing(file: string, chunk: Buffer, path: EpochPath, { next }: LogPosition): void {
  const header = headerOf(chunk)
  if (header === undefined || (header.firstIndex === next && header.epoch === path.epoch)) return
  throw new CorruptLog(file, 0, 'the audit segment does not follow the one before it')
}
