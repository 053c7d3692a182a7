import { crc32 } from 'node:zlib'
import { ENTRY_LIMIT_BYTES } from './audit-log.ts'

/** Length word and checksum before each payload. */
export const FRAME_HEADER_BYTES = 8

/** Set in the length word of frames that speak of the log itself. */
const CONTROL_FLAG = 0x8000_0000

/** What the log says of itself, between the entries. */
export type Control =
  | {
      readonly kind: 'segment'
      readonly format: 'toolgate-wal-1'
      readonly epoch: string
      readonly segment: number
      readonly firstIndex: number
      /** How many entries at its head were carried over when the segment began. */
      readonly carried: number
    }
  /** The first `bytes` bytes of this segment had been fsynced when this frame was written. */
  | { readonly kind: 'durable'; readonly bytes: number }
  | { readonly kind: 'sealed'; readonly entries: number }

export interface Frame {
  readonly offset: number
  readonly nextOffset: number
  readonly control: boolean
  readonly payload: Buffer
}

export function frameBytes(payloadBytes: number): number {
  return FRAME_HEADER_BYTES + payloadBytes
}

/** Writes one frame at `offset` and returns the offset after it; `target` must have room. */
export function writeFrame(target: Buffer, offset: number, payload: Uint8Array, control: boolean): number {
  target.writeUInt32BE((control ? CONTROL_FLAG : 0) + payload.length, offset)
  target.set(payload, offset + FRAME_HEADER_BYTES)
  target.writeUInt32BE(checksum(target, offset, payload), offset + 4)
  return offset + FRAME_HEADER_BYTES + payload.length
}

/** What the length word at `offset` says of its frame, which must be one of our own making. */
export function frameAt(source: Buffer, offset: number): { control: boolean; payloadBytes: number } {
  const word = source.readUInt32BE(offset)
  return word >= CONTROL_FLAG
    ? { control: true, payloadBytes: word - CONTROL_FLAG }
    : { control: false, payloadBytes: word }
}

export function encodeControl(control: Control): Buffer {
  return Buffer.from(JSON.stringify(control))
}

/**
 * Reads the frame at `offset`; `undefined` when there is no whole, sound frame there. An empty payload is never
 * sound: a run of zeros, as a file system leaves after a power loss, would otherwise read as frames.
 */
export function readFrame(source: Buffer, offset: number): Frame | undefined {
  if (offset + FRAME_HEADER_BYTES > source.length) return undefined
  const word = source.readUInt32BE(offset)
  const control = word >= CONTROL_FLAG
  const untrustedBytes = control ? word - CONTROL_FLAG : word
  if (untrustedBytes === 0 || untrustedBytes > ENTRY_LIMIT_BYTES) return undefined
  const nextOffset = offset + FRAME_HEADER_BYTES + untrustedBytes
  if (nextOffset > source.length) return undefined
  const payload = source.subarray(offset + FRAME_HEADER_BYTES, nextOffset)
  if (source.readUInt32BE(offset + 4) !== checksum(source, offset, payload)) return undefined
  return { offset, nextOffset, control, payload }
}

/** Of entries, by their length, as they are first needed: a call into zlib for four bytes costs more than the bytes. */
const seeds = new Uint32Array(ENTRY_LIMIT_BYTES + 1)

/** CRC-32 of the length word at `offset` and the payload, so that a changed length is found too. */
function checksum(source: Buffer, offset: number, payload: Uint8Array): number {
  const word = source.readUInt32BE(offset)
  if (word >= seeds.length) return crc32(payload, crc32(source.subarray(offset, offset + 4)))
  // No length has a checksum of 0, which stands for one that is not made yet.
  const seed = (seeds[word] ||= crc32(source.subarray(offset, offset + 4)))
  return crc32(payload, seed)
}
