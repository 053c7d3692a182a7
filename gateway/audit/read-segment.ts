import { readFile } from 'node:fs/promises'
import { FRAME_HEADER_BYTES, readFrame, type Control } from './frame.ts'

interface SegmentEntry {
  readonly index: number
  readonly offset: number
  readonly bytes: Buffer
}

/**
 * Bytes that are not frames. `torn` lies beyond everything the segment calls fsynced: a write that death cut off.
 * `corrupt` lies before it: what was once durable has changed.
 */
export interface Damage {
  readonly kind: 'torn' | 'corrupt'
  readonly offset: number
  readonly lostBytes: number
}

export interface Segment {
  /** `undefined` when not even the header is whole. */
  readonly header: Extract<Control, { kind: 'segment' }> | undefined
  readonly entries: readonly SegmentEntry[]
  readonly sealed: boolean
  /** How many entries the seal counts; 0 without one. */
  readonly sealedEntries: number
  readonly sizeBytes: number
  readonly damage: Damage | undefined
}

/** Reads one segment whole into memory; its size is bounded by the configured segment limit plus one write. */
export async function readSegment(path: string): Promise<Segment> {
  return parseSegment(await readFile(path))
}

export function parseSegment(source: Buffer): Segment {
  const entries: SegmentEntry[] = []
  const summary = scanSegment(source, (bytes, index, offset) => void entries.push({ index, offset, bytes }))
  return { ...summary, entries }
}

/** What the head of a segment says; `undefined` when it is none. */
export function headerOf(source: Buffer): Segment['header'] {
  const first = readFrame(source, 0)
  const header = first?.control === true ? parseControl(first.payload) : undefined
  return header?.kind === 'segment' ? header : undefined
}

/** Gives each entry with its number and the place of its frame, and keeps none of them. */
export function scanSegment(
  source: Buffer,
  take: (bytes: Buffer, index: number, offset: number) => void,
): Omit<Segment, 'entries'> {
  const header = headerOf(source)
  const sizeBytes = source.length
  if (header === undefined) {
    return { header, sealed: false, sealedEntries: 0, sizeBytes, damage: damageAt(source, 0, 0) }
  }
  let index = header.firstIndex
  let durableBytes = 0
  let sealed = false
  let sealedEntries = 0
  let offset = 0
  for (let frame = readFrame(source, offset); frame !== undefined; frame = readFrame(source, offset)) {
    if (frame.control) {
      const control = parseControl(frame.payload)
      if (control?.kind === 'durable') durableBytes = Math.max(durableBytes, control.bytes)
      if (control?.kind === 'sealed') {
        sealed = true
        sealedEntries = control.entries
      }
    } else {
      take(frame.payload, index++, offset)
    }
    offset = frame.nextOffset
  }
  const damage = offset === sizeBytes ? undefined : damageAt(source, offset, durableBytes)
  return { header, sealed, sealedEntries, sizeBytes, damage }
}

/**
 * Judges the bad frame at `offset` by the marks before it and by any sound mark after it: pages of an unsynced
 * write may reach the disk in any order, so sound frames behind a bad one prove nothing by themselves.
 */
function damageAt(source: Buffer, offset: number, markedBytes: number): Damage {
  let durableBytes = markedBytes
  for (let at = offset; at + FRAME_HEADER_BYTES < source.length; at++) {
    // Control frames alone have the top bit set and are short: two bytes to look at before any checksum.
    if (source[at] !== 0x80 || source[at + 1] !== 0) continue
    const frame = readFrame(source, at)
    const control = frame?.control === true ? parseControl(frame.payload) : undefined
    if (control?.kind === 'durable') durableBytes = Math.max(durableBytes, control.bytes)
    // A seal is written after everything else, and only then synced.
    if (control?.kind === 'sealed') durableBytes = Math.max(durableBytes, at)
  }
  return {
    kind: offset < durableBytes ? 'corrupt' : 'torn',
    offset,
    lostBytes: source.length - offset,
  }
}

export function parseControl(payload: Buffer): Control | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(payload.toString('utf8'))
  } catch {
    return undefined
  }
  if (typeof parsed !== 'object' || parsed === null || !('kind' in parsed)) return undefined
  switch (parsed.kind) {
    case 'segment':
      return isSegmentHeader(parsed) ? parsed : undefined
    case 'durable':
      return 'bytes' in parsed && isCount(parsed.bytes) ? { kind: 'durable', bytes: parsed.bytes } : undefined
    case 'sealed':
      return 'entries' in parsed && isCount(parsed.entries)
        ? { kind: 'sealed', entries: parsed.entries }
        : undefined
    default:
      return undefined
  }
}

function isSegmentHeader(parsed: object): parsed is Extract<Control, { kind: 'segment' }> {
  return (
    'format' in parsed &&
    parsed.format === 'toolgate-wal-1' &&
    'epoch' in parsed &&
    typeof parsed.epoch === 'string' &&
    'segment' in parsed &&
    isCount(parsed.segment) &&
    'firstIndex' in parsed &&
    isCount(parsed.firstIndex) &&
    'carried' in parsed &&
    isCount(parsed.carried)
  )
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
