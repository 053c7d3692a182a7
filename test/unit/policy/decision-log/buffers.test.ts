import { readdir, readFile, writeFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DiskBuffer } from '../../../../gateway/policy/decision-log/disk-buffer.ts'
import type {
  BufferEvent,
  BufferLimits,
  EventBuffer,
} from '../../../../gateway/policy/decision-log/event-buffer.ts'
import { MemoryBuffer } from '../../../../gateway/policy/decision-log/memory-buffer.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../../../harness/temporary-directory.ts'

let folder: TemporaryDirectory
let told: BufferEvent[]
beforeEach(async () => {
  folder = await temporaryDirectory()
  told = []
})
afterEach(() => folder[Symbol.asyncDispose]())

const PLENTY: BufferLimits = { bytes: 1 << 20, events: 1_000, dropsOldest: true }
const onEvent = (event: BufferEvent): void => void told.push(event)
const openDisk = (limits = PLENTY, nowMs = Date.parse('2026-11-23T09:00:00Z')): Promise<DiskBuffer> =>
  DiskBuffer.open({ directory: folder.path, limits, nowMs, onEvent })
const numbered = (from: number, to: number): Buffer[] =>
  Array.from({ length: to - from }, (_, index) => Buffer.from(`event ${from + index}`))

/** Everything in the buffer, batch after batch. */
async function drained(buffer: EventBuffer, maxBytes = 100): Promise<string[]> {
  const texts: string[] = []
  for (;;) {
    const { first, events } = await buffer.peek(maxBytes)
    if (events.length === 0) return texts
    texts.push(...events.map(String))
    await buffer.remove(first + events.length)
  }
}

const BUFFERS = {
  memory: (limits = PLENTY): Promise<EventBuffer> => Promise.resolve(new MemoryBuffer(limits, onEvent)),
  disk: openDisk as (limits?: BufferLimits) => Promise<EventBuffer>,
}

describe.each(Object.entries(BUFFERS))('a buffer in %s', (_, open) => {
  it('gives every event once, in the order in which it came', async () => {
    await using buffer = await open()
    buffer.append(numbered(0, 50), 1)
    buffer.append(numbered(50, 100), 2)
    expect(buffer.events).toBe(100)
    expect(await drained(buffer)).toEqual(numbered(0, 100).map(String))
    expect([buffer.events, buffer.sizeBytes, buffer.oldestAtMs]).toEqual([0, 0, undefined])
  })

  it('gives one event at least, whatever its size', async () => {
    await using buffer = await open()
    buffer.append(numbered(0, 2), 1)
    expect((await buffer.peek(1)).events.map(String)).toEqual(['event 0'])
  })

  it('keeps what was looked at and not removed', async () => {
    await using buffer = await open()
    buffer.append(numbered(0, 3), 1)
    const { first, events } = await buffer.peek(1_000)
    expect(events).toHaveLength(3)
    await buffer.remove(first + 1)
    expect(await drained(buffer)).toEqual(['event 1', 'event 2'])
  })

  it('knows since when its oldest event waits', async () => {
    await using buffer = await open()
    buffer.append(numbered(0, 1), 7)
    buffer.append(numbered(1, 2), 9)
    expect(buffer.oldestAtMs).toBe(7)
  })

  it('takes events while others are looked at', async () => {
    await using buffer = await open()
    buffer.append(numbered(0, 2), 1)
    const { first, events } = await buffer.peek(1_000)
    buffer.append(numbered(2, 4), 1)
    await buffer.remove(first + events.length)
    expect(await drained(buffer)).toEqual(['event 2', 'event 3'])
  })

  it('drops the oldest events beyond its limits, and says how many', async () => {
    await using buffer = await open({ bytes: 1 << 20, events: 40, dropsOldest: true })
    for (let at = 0; at < 100; at += 1) {
      buffer.append(numbered(at, at + 1), at)
      if (at % 5 === 0) await buffer.peek(1)
    }
    const left = await drained(buffer)
    const dropped = told.reduce((sum, event) => sum + (event.type === 'overflowed' ? event.events : 0), 0)
    expect(left.length).toBeLessThanOrEqual(40)
    expect(left.length).toBeGreaterThan(20)
    expect(left).toEqual(numbered(100 - left.length, 100).map(String))
    expect(dropped).toBe(100 - left.length)
  })

  it('drops nothing beyond its limits where it may not', async () => {
    await using buffer = await open({ bytes: 1, events: 1, dropsOldest: false })
    buffer.append(numbered(0, 20), 1)
    expect(await drained(buffer)).toHaveLength(20)
    expect(told).toEqual([])
  })

  it('forgets nothing newer when events that are gone are removed', async () => {
    await using buffer = await open({ bytes: 1 << 20, events: 8, dropsOldest: true })
    buffer.append(numbered(0, 4), 1)
    const { first, events } = await buffer.peek(1_000)
    buffer.append(numbered(4, 30), 1)
    const before = buffer.events
    await buffer.remove(first + events.length)
    expect(buffer.events).toBe(before)
  })
})

/** Files with events of every process that wrote here. */
async function segmentsBelow(path: string): Promise<string[]> {
  const names = await readdir(path, { recursive: true })
  return names.filter((name) => name.endsWith('.log')).sort()
}

/** A buffer whose process has ended without a word: its lock is free, its files are there. */
async function abandoned(events: Buffer[]): Promise<string> {
  const buffer = await openDisk()
  buffer.append(events, 1)
  await buffer[Symbol.asyncDispose]()
  const [segment = ''] = await segmentsBelow(folder.path)
  return join(folder.path, segment)
}

describe('a buffer on disk', () => {
  it('outlives its process, in order', async () => {
    await abandoned(numbered(0, 10))
    await using buffer = await openDisk(PLENTY, Date.parse('2026-11-23T10:00:00Z'))
    expect(told).toEqual([{ type: 'recovered', events: 10, tornBytes: 0 }])
    buffer.append(numbered(10, 12), 1)
    expect(await drained(buffer)).toEqual(numbered(0, 12).map(String))
  })

  it('takes over what several processes left, the oldest first', async () => {
    await using first = await openDisk(PLENTY, 1)
    first.append(numbered(0, 2), 1)
    await using second = await openDisk(PLENTY, 2)
    second.append(numbered(2, 4), 1)
    await first[Symbol.asyncDispose]()
    await second[Symbol.asyncDispose]()
    await using third = await openDisk(PLENTY, 3)
    expect(await drained(third)).toEqual(numbered(0, 4).map(String))
  })

  it('leaves alone what a living process holds', async () => {
    await using first = await openDisk(PLENTY, 1)
    first.append(numbered(0, 2), 1)
    await using second = await openDisk(PLENTY, 2)
    expect(second.events).toBe(0)
    expect(await drained(first)).toHaveLength(2)
  })

  it('does not send again what it noted as sent', async () => {
    const buffer = await openDisk()
    buffer.append(numbered(0, 10), 1)
    const { first } = await buffer.peek(1_000)
    await buffer.remove(first + 4)
    await buffer[Symbol.asyncDispose]()
    await using next = await openDisk()
    expect(await drained(next)).toEqual(numbered(4, 10).map(String))
  })

  it('sends again rather than not at all where the note is no number', async () => {
    const segment = await abandoned(numbered(0, 3))
    await writeFile(`${segment}.sent`, 'x')
    await using next = await openDisk()
    expect(await drained(next)).toHaveLength(3)
  })

  it.each([1, 4, 8, 9, 14])('keeps every whole event of a file that lost its last %i bytes', async (lost) => {
    const segment = await abandoned(numbered(0, 5))
    const bytes = await readFile(segment)
    await writeFile(segment, bytes.subarray(0, bytes.length - lost))
    await using next = await openDisk()
    expect(await drained(next)).toEqual(numbered(0, 4).map(String))
    expect(told).toContainEqual(expect.objectContaining({ type: 'recovered', events: 4 }))
  })

  it('takes nothing from the first changed byte on for an event', async () => {
    const segment = await abandoned(numbered(0, 5))
    const bytes = await readFile(segment)
    const at = bytes.indexOf('event 2')
    bytes[at] = 0x45
    await writeFile(segment, bytes)
    await using next = await openDisk()
    expect(await drained(next)).toEqual(['event 0', 'event 1'])
  })

  it('takes a run of zeros for no events', async () => {
    const segment = await abandoned(numbered(0, 2))
    await writeFile(segment, Buffer.concat([await readFile(segment), Buffer.alloc(64)]))
    await using next = await openDisk()
    expect(await drained(next)).toHaveLength(2)
  })

  it('says what was damaged while it was running, and goes on', async () => {
    await using buffer = await openDisk({ bytes: 1 << 20, events: 8, dropsOldest: false })
    buffer.append(numbered(0, 4), 1)
    await vi.waitFor(async () => expect(await segmentsBelow(folder.path)).toHaveLength(4))
    const [, second = ''] = await segmentsBelow(folder.path)
    await writeFile(join(folder.path, second), 'nonsense')
    expect(await drained(buffer)).toEqual(['event 0', 'event 2', 'event 3'])
    expect(told).toEqual([expect.objectContaining({ type: 'damaged', events: 1 })])
  })

  it('leaves no file behind when everything is sent', async () => {
    const buffer = await openDisk()
    buffer.append(numbered(0, 10), 1)
    await drained(buffer)
    await buffer[Symbol.asyncDispose]()
    expect(await readdir(folder.path)).toEqual([])
  })

  it('is uploaded from memory while the disk takes nothing, and written once it does', async () => {
    await using buffer = await openDisk()
    await rm(folder.path, { recursive: true })
    buffer.append(numbered(0, 3), 1)
    expect((await buffer.peek(1_000)).events.map(String)).toEqual(numbered(0, 3).map(String))
    expect(told).toEqual([expect.objectContaining({ type: 'disk_failed' })])
    await buffer.remove(2)
    expect((await buffer.peek(1_000)).events.map(String)).toEqual(['event 2'])
  })

  it('is readable by nobody else', async () => {
    const segment = await abandoned(numbered(0, 1))
    const { mode } = await (await import('node:fs/promises')).stat(segment)
    expect(mode & 0o077).toBe(0)
  })
})
