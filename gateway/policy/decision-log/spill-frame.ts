import { crc32 } from 'node:zlib'

/** Length and checksum before each event. */
const FRAME_HEADER_BYTES = 8

/** No event is larger, so a longer one is damage. */
const EVENT_LIMIT_BYTES = 16_777_216

export interface SpilledEvent {
  readonly bytes: Buffer
  /** Where in the file the next one begins. */
  readonly endOffset: number
}

export function frameOf(event: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + event.length)
  frame.writeUInt32BE(event.length, 0)
  frame.set(event, FRAME_HEADER_BYTES)
  frame.writeUInt32BE(checksum(frame, 0, frame.length), 4)
  return frame
}

/** The event in one frame. */
export function eventIn(frame: Buffer): Buffer {
  return frame.subarray(FRAME_HEADER_BYTES)
}

/**
 * The events in `file` from `offset` on, up to the first that is not whole and sound: what the death of its writer cut
 * off, or the disk lost. An event of no bytes is none: a run of zeros is what some file systems leave.
 */
export function readFrames(file: Buffer, offset: number): readonly SpilledEvent[] {
  const events: SpilledEvent[] = []
  let at = offset
  while (at + FRAME_HEADER_BYTES <= file.length) {
    const untrustedBytes = file.readUInt32BE(at)
    const endOffset = at + FRAME_HEADER_BYTES + untrustedBytes
    if (untrustedBytes === 0 || untrustedBytes > EVENT_LIMIT_BYTES || endOffset > file.length) break
    if (file.readUInt32BE(at + 4) !== checksum(file, at, endOffset)) break
    events.push({ bytes: file.subarray(at + FRAME_HEADER_BYTES, endOffset), endOffset })
    at = endOffset
  }
  return events
}

/** CRC-32 of the length and the event, so that a changed length is found too. */
function checksum(file: Buffer, start: number, end: number): number {
  return crc32(file.subarray(start + FRAME_HEADER_BYTES, end), crc32(file.subarray(start, start + 4)))
}
