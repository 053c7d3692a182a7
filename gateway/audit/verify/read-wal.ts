import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { frameBytes, writeFrame } from '../frame.ts'
import { listSegments, type EpochPath } from '../read-entries.ts'
import { headerOf, scanSegment, type Segment } from '../read-segment.ts'
import { segmentName } from '../segment-file.ts'
import { firstDifference, type Problems } from './problem.ts'
import { StoredTiles } from './stored-tiles.ts'

export interface WalReport {
  readonly entries: number
  readonly sealed: boolean
  readonly tornBytes: number
  /** Whether the entries are all that the files say they hold. */
  readonly isWhole: boolean
}

/**
 * Reads the write-ahead log of one epoch to its end, or to the first frame that is not what was written, and gives
 * each entry with its number.
 */
export async function readWal(
  path: EpochPath,
  place: string,
  problems: Problems,
  take: (entry: Buffer, index: number) => void,
): Promise<WalReport> {
  const numbers = await listSegments(path.directory)
  let entries = 0
  let sealed = false
  let tornBytes = 0
  for (const number of numbers) {
    const shown = join(place, segmentName(number))
    const isLast = number === numbers.at(-1)
    const source = await readFile(join(path.directory, segmentName(number)))
    const foreign = foreignness(headerOf(source), path, number, entries)
    if (foreign !== undefined) {
      problems.add('segment.foreign', shown, 0, foreign)
      return { entries, sealed, tornBytes, isWhole: false }
    }
    const segment = scanSegment(source, (bytes, index) => {
      entries++
      take(bytes, index)
    })
    const { damage } = segment
    if (damage !== undefined && (damage.kind === 'corrupt' || !isLast || sealed)) {
      const offset = firstBadByte(path, segmentName(number), damage.offset, entries)
      problems.add('frame.changed', shown, offset, 'this frame is not what was written')
      return { entries, sealed, tornBytes, isWhole: false }
    }
    tornBytes = damage?.lostBytes ?? 0
    if (sealed || (segment.sealed && !isLast)) {
      problems.add('order.seal', shown, 0, 'the log goes on after its seal')
    }
    if (segment.sealed && segment.sealedEntries !== entries) {
      const detail = `sealed with ${String(segment.sealedEntries)} entries, and there are ${String(entries)}`
      problems.add('entries.missing', shown, segment.sizeBytes, detail)
    }
    sealed ||= segment.sealed
  }
  // None at all is what a process leaves that dies as it begins; what was signed of it, if anything, tells otherwise.
  return { entries, sealed, tornBytes, isWhole: true }
}

function foreignness(
  header: Segment['header'],
  path: EpochPath,
  number: number,
  entries: number,
): string | undefined {
  // Not even its head was written when its process died, or somebody took it: the damage says which.
  if (header === undefined) return undefined
  if (header.epoch !== path.epoch) return `it belongs to the log ${header.epoch}`
  if (header.segment !== number) return `it is segment ${String(header.segment)}`
  if (header.firstIndex !== entries)
    return `it begins with entry ${String(header.firstIndex)}, after ${String(entries)}`
  return undefined
}

/** Where the frame at `offset` begins to differ from the one that its bundle has the entry for. */
function firstBadByte(path: EpochPath, name: string, offset: number, index: number): number {
  const entry = new StoredTiles(path.directory).entry(index)
  if (entry === undefined) return offset
  const frame = Buffer.alloc(frameBytes(entry.length))
  writeFrame(frame, 0, entry, false)
  const actual = readFileSync(join(path.directory, name)).subarray(offset, offset + frame.length)
  return offset + firstDifference(frame, actual)
}
