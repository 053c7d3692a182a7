import { closeSync, openSync, readSync } from 'node:fs'
import { ENTRY_LIMIT_BYTES } from './audit-log.ts'
import { FRAME_HEADER_BYTES, readFrame, type Frame } from './frame.ts'

const CHUNK_BYTES = 1_048_576

/**
 * Hands `take` the sound frames of a segment from byte `from` on, in memory that does not grow with the segment; a
 * payload is good until `take` returns. Tells where the sound frames end, and whether that is the end of the file.
 */
export function readFrames(
  path: string,
  from: number,
  take: (frame: Frame) => void,
): { readonly offset: number; readonly whole: boolean } {
  const file = openSync(path, 'r')
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    let base = from
    for (;;) {
      const held = chunk.subarray(0, readSync(file, chunk, 0, CHUNK_BYTES, base))
      let at = 0
      for (let frame = readFrame(held, at); frame !== undefined; frame = readFrame(held, at)) {
        take({ ...frame, offset: base + frame.offset, nextOffset: base + frame.nextOffset })
        at = frame.nextOffset
      }
      // No frame is larger than a chunk: one that does not end in a fresh one is none.
      if (at === 0 || held.length < CHUNK_BYTES) return { offset: base + at, whole: at === held.length }
      base += at
    }
  } finally {
    closeSync(file)
  }
}

/** The one entry whose frame begins at `offset`; `undefined` when there is no sound one. */
export function readEntryAt(path: string, offset: number): Buffer | undefined {
  const file = openSync(path, 'r')
  try {
    const most = Buffer.allocUnsafe(FRAME_HEADER_BYTES + ENTRY_LIMIT_BYTES)
    const frame = readFrame(most.subarray(0, readSync(file, most, 0, most.length, offset)), 0)
    return frame === undefined || frame.control ? undefined : Buffer.from(frame.payload)
  } finally {
    closeSync(file)
  }
}
