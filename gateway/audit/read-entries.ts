import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CorruptLog } from './corrupt-log.ts'
import { readSegment, type Segment } from './read-segment.ts'
import { segmentName, segmentNumber } from './segment-file.ts'

/** One entry as it stands on disk. */
export interface StoredEntry {
  /** Directory name of the process or worker that wrote it. */
  readonly node: string
  readonly epoch: string
  readonly index: number
  readonly bytes: Buffer
}

export interface EpochPath {
  readonly node: string
  readonly epoch: string
  readonly directory: string
}

/** The node whose logs hold checkpoints of the others. */
export const FLEET_NODE = 'fleet'

/**
 * Every entry under an audit directory, epoch by epoch in the order they began, within each in the order written.
 * May be used while gateways write: an unfinished tail ends its epoch. Throws {@link CorruptLog} where something
 * durable has changed or is missing.
 */
export async function* readEntries(auditDirectory: string): AsyncGenerator<StoredEntry> {
  for (const path of await listEpochs(auditDirectory)) yield* readEpoch(path)
}

/** The entries of one epoch, in order. */
export async function* readEpoch(path: EpochPath): AsyncGenerator<StoredEntry> {
  const numbers = await listSegments(path.directory)
  const last = numbers.at(-1)
  let nextIndex = 0
  for (const number of numbers) {
    const file = join(path.directory, segmentName(number))
    const segment = await readSegment(file)
    if (number !== last || segment.damage?.kind === 'corrupt') expectWhole(file, segment)
    if (segment.header === undefined) return
    if (segment.header.firstIndex !== nextIndex || segment.header.epoch !== path.epoch) {
      throw new CorruptLog(file, 0, 'the audit segment does not follow the one before it')
    }
    for (const { index, bytes } of segment.entries) {
      yield { node: path.node, epoch: path.epoch, index, bytes }
    }
    nextIndex += segment.entries.length
  }
}

/** The entries of one epoch from number `from` on, segment by segment; segments that end before it are not read. */
export async function* readTail(path: EpochPath, from: number): AsyncGenerator<readonly Buffer[]> {
  const tail: Segment[] = []
  for (const number of (await listSegments(path.directory)).toReversed()) {
    const segment = await readSegment(join(path.directory, segmentName(number)))
    tail.unshift(segment)
    if ((segment.header?.firstIndex ?? from + 1) <= from) break
  }
  for (const { entries } of tail) {
    yield entries.filter(({ index }) => index >= from).map(({ bytes }) => bytes)
  }
}

/** The epochs under an audit directory, oldest first per node. */
export async function listEpochs(auditDirectory: string): Promise<EpochPath[]> {
  const epochs: EpochPath[] = []
  for (const node of await subdirectories(auditDirectory)) {
    for (const epoch of await subdirectories(join(auditDirectory, node))) {
      epochs.push({ node, epoch, directory: join(auditDirectory, node, epoch) })
    }
  }
  return epochs.sort((one, other) => compare(one.epoch, other.epoch) || compare(one.node, other.node))
}

/** Segment numbers of an epoch, from 1 without a gap; throws {@link CorruptLog} when one is missing. */
export async function listSegments(epochDirectory: string): Promise<number[]> {
  const numbers = (await readdir(epochDirectory))
    .map(segmentNumber)
    .filter((number) => number !== undefined)
    .sort((one, other) => one - other)
  const gap = numbers.findIndex((number, index) => number !== index + 1)
  if (gap === -1) return numbers
  throw new CorruptLog(join(epochDirectory, segmentName(gap + 1)), 0, 'an audit segment is missing')
}

function expectWhole(file: string, segment: Segment): void {
  if (segment.damage === undefined) return
  throw new CorruptLog(file, segment.damage.offset, 'durable audit entries have changed')
}

/** Without those whose name begins with a dot: they are being made. */
async function subdirectories(directory: string): Promise<string[]> {
  const children = await readdir(directory, { withFileTypes: true })
  return children
    .filter((child) => child.isDirectory() && !child.name.startsWith('.'))
    .map((child) => child.name)
    .sort()
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}
