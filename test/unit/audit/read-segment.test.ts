import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  encodeControl,
  frameBytes,
  readFrame,
  writeFrame,
  type Control,
} from '../../../gateway/audit/frame.ts'
import { parseSegment } from '../../../gateway/audit/read-segment.ts'

const HEADER: Control = {
  kind: 'segment',
  format: 'toolgate-wal-1',
  epoch: 'e',
  segment: 1,
  firstIndex: 7,
  carried: 0,
}

function frame(payload: Uint8Array, control = false): Buffer {
  const target = Buffer.alloc(frameBytes(payload.length))
  writeFrame(target, 0, payload, control)
  return target
}
const control = (value: Control): Buffer => frame(encodeControl(value), true)
const entry = (text: string): Buffer => frame(Buffer.from(text))
const texts = (source: Buffer): string[] => parseSegment(source).entries.map(({ bytes }) => bytes.toString())

describe('a segment', () => {
  it('gives back its entries with their numbers', () => {
    const { entries, damage } = parseSegment(Buffer.concat([control(HEADER), entry('a'), entry('b')]))
    expect(entries.map(({ index, bytes }) => [index, bytes.toString()])).toEqual([
      [7, 'a'],
      [8, 'b'],
    ])
    expect(damage).toBeUndefined()
  })

  it('ends before a write that death cut off, at whichever byte', () => {
    const kept = Buffer.concat([control(HEADER), entry('kept')])
    const cut = entry('cut off')
    for (let bytes = 1; bytes < cut.length; bytes++) {
      const source = Buffer.concat([kept, cut.subarray(0, bytes)])
      expect(texts(source)).toEqual(['kept'])
      expect(parseSegment(source).damage).toEqual({ kind: 'torn', offset: kept.length, lostBytes: bytes })
    }
  })

  it('does not take a run of zeros for entries', () => {
    const source = Buffer.concat([control(HEADER), entry('kept'), Buffer.alloc(4_096)])
    expect(texts(source)).toEqual(['kept'])
    expect(parseSegment(source).damage?.kind).toBe('torn')
  })

  it('calls any flipped bit below the durable mark corrupt', () => {
    const durable = Buffer.concat([control(HEADER), entry('one'), entry('two')])
    const whole = Buffer.concat([durable, control({ kind: 'durable', bytes: durable.length }), entry('tail')])
    for (let bit = 0; bit < durable.length * 8; bit++) {
      const source = Buffer.from(whole)
      source.writeUInt8(source.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      expect(parseSegment(source).damage?.kind, `bit ${String(bit)}`).toBe('corrupt')
    }
  })

  it('calls a bad frame beyond the durable mark torn, even with sound frames behind it', () => {
    const durable = Buffer.concat([control(HEADER), entry('one')])
    const marked = Buffer.concat([durable, control({ kind: 'durable', bytes: durable.length })])
    const bad = entry('two')
    bad.writeUInt8(bad.readUInt8(9) ^ 1, 9)
    const source = Buffer.concat([marked, bad, entry('three')])
    expect(texts(source)).toEqual(['one'])
    expect(parseSegment(source).damage).toMatchObject({ kind: 'torn', offset: marked.length })
  })

  it('calls everything before a seal durable', () => {
    const bad = entry('two')
    bad.writeUInt8(0xff, 9)
    const source = Buffer.concat([control(HEADER), bad, control({ kind: 'sealed', entries: 8 })])
    expect(parseSegment(source).damage?.kind).toBe('corrupt')
  })

  it('refuses a frame whose length was changed to swallow the next', () => {
    const source = Buffer.concat([entry('one'), entry('two')])
    source.writeUInt32BE(3 + 8 + 3, 0)
    expect(readFrame(source, 0)).toBeUndefined()
  })

  it('sums up length and payload of each frame, whatever frames came before', () => {
    for (const [size, isControl] of [1, 3, 3, 65_535, 3].flatMap(
      (n) =>
        [
          [n, false],
          [n, true],
        ] as const,
    )) {
      const bytes = frame(Buffer.alloc(size, size), isControl)
      const summed = Buffer.concat([bytes.subarray(0, 4), bytes.subarray(8)])
      expect(bytes.readUInt32BE(4)).toBe(crc32(summed))
    }
  })
})
