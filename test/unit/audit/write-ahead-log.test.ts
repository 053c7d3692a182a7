import { readdir } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { ENTRY_LIMIT_BYTES } from '../../../gateway/audit/audit-log.ts'
import { readEpoch } from '../../../gateway/audit/read-entries.ts'
import { WriteAheadLog } from '../../../gateway/audit/write-ahead-log.ts'
import type { WriteAheadLogOptions } from '../../../gateway/audit/write-ahead-options.ts'
import { failingDisk } from '../../harness/failing-disk.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../../harness/temporary-directory.ts'

function open(
  directory: TemporaryDirectory,
  options: Partial<WriteAheadLogOptions> = {},
): Promise<WriteAheadLog> {
  const { path } = directory
  return WriteAheadLog.open({ directory: path, epoch: 'e', segmentLimitBytes: 1_000_000, ...options })
}

async function entriesIn(directory: TemporaryDirectory): Promise<string[]> {
  const entries: string[] = []
  for await (const { bytes, index } of readEpoch({ node: 'n', epoch: 'e', directory: directory.path })) {
    expect(index).toBe(entries.length)
    entries.push(bytes.toString())
  }
  return entries
}

const text = (value: string): Buffer => Buffer.from(value)

describe('the write-ahead log', () => {
  it('numbers entries in the order in which they were appended', async () => {
    await using directory = await temporaryDirectory()
    await using log = await open(directory)
    const positions = await Promise.all(
      ['a', 'b', 'c'].map((value, index) => log.append(text(value), index === 1 ? 'strict' : 'flushed')),
    )
    expect(positions).toEqual([
      { epoch: 'e', index: 0 },
      { epoch: 'e', index: 1 },
      { epoch: 'e', index: 2 },
    ])
    expect(await entriesIn(directory)).toEqual(['a', 'b', 'c'])
  })

  it('keeps its own copy of an entry', async () => {
    await using directory = await temporaryDirectory()
    await using log = await open(directory)
    const entry = text('before')
    const appended = log.append(entry, 'flushed')
    entry.fill('x')
    await appended
    expect(await entriesIn(directory)).toEqual(['before'])
  })

  it('gives one fsync to everything that was appended while the previous one ran', async () => {
    await using directory = await temporaryDirectory()
    const disk = failingDisk()
    await using log = await open(directory, { disk, syncIntervalMs: 60_000 })
    const release = disk.holdSyncs()
    const first = log.append(text('first'), 'strict')
    await vi.waitFor(() => expect(disk.syncs()).toBe(1))
    const rest = Array.from({ length: 500 }, (_, index) =>
      log.append(text(`rest ${String(index)}`), 'strict'),
    )
    release()
    await Promise.all([first, ...rest])
    expect(disk.syncs()).toBe(2)
  })

  it('does not make a flushed append wait for an fsync', async () => {
    await using directory = await temporaryDirectory()
    const disk = failingDisk()
    await using log = await open(directory, { disk })
    const release = disk.holdSyncs()
    const strict = log.append(text('strict'), 'strict')
    await vi.waitFor(() => expect(disk.syncs()).toBe(1))
    await log.append(text('flushed'), 'flushed')
    release()
    await strict
  })

  it('fsyncs flushed entries soon, though nobody waits', async () => {
    await using directory = await temporaryDirectory()
    const disk = failingDisk()
    await using log = await open(directory, { disk, syncIntervalMs: 5 })
    await log.append(text('flushed'), 'flushed')
    await vi.waitFor(() => expect(disk.syncs()).toBe(1))
  })

  it('leaves an idle disk alone', async () => {
    await using directory = await temporaryDirectory()
    const disk = failingDisk()
    let syncs = 0
    const clock = { nowMs: () => 0, monotonicMs: () => 0 }
    await using log = await open(directory, { disk, syncIntervalMs: 1, clock, onSync: () => syncs++ })
    await log.append(text('one'), 'strict')
    // The durable mark is the third write, after the segment's header and the entry.
    await vi.waitFor(() => expect(disk.writes()).toBe(3))
    // Long enough for twenty ticks of a log that would not leave it alone.
    await setTimeout(20)
    expect([disk.writes(), syncs]).toEqual([3, 1])
  })

  it('goes on in a new segment, and reads as one', async () => {
    await using directory = await temporaryDirectory()
    await using log = await open(directory, { segmentLimitBytes: 2_000 })
    const wanted = Array.from({ length: 60 }, (_, index) => `entry ${String(index)} ${'x'.repeat(200)}`)
    for (const value of wanted) await log.append(text(value), 'flushed')
    const segments = (await readdir(directory.path)).filter((name) => name.endsWith('.wal'))
    expect(segments.length).toBeGreaterThan(3)
    expect(await entriesIn(directory)).toEqual(wanted)
  })

  it('repeats what is carried over at the head of each new segment', async () => {
    await using directory = await temporaryDirectory()
    await using log = await open(directory, { segmentLimitBytes: 1_000, carry: () => [text('carried')] })
    for (let index = 0; index < 10; index++) await log.append(text('x'.repeat(300)), 'strict')
    const entries = await entriesIn(directory)
    expect(entries.filter((value) => value === 'carried').length).toBe(
      (await readdir(directory.path)).filter((name) => name.endsWith('.wal')).length - 1,
    )
  })

  it.each([0, ENTRY_LIMIT_BYTES + 1])('refuses an entry of %i bytes', async (sizeBytes) => {
    await using directory = await temporaryDirectory()
    await using log = await open(directory)
    await expect(log.append(Buffer.alloc(sizeBytes, 1), 'flushed')).rejects.toThrow(RangeError)
  })

  it('takes the largest entry', async () => {
    await using directory = await temporaryDirectory()
    await using log = await open(directory)
    await log.append(Buffer.alloc(ENTRY_LIMIT_BYTES, 'z'), 'strict')
    expect((await entriesIn(directory))[0]?.length).toBe(ENTRY_LIMIT_BYTES)
  })

  it('refuses more than its queue may hold, and goes on once there is room', async () => {
    await using directory = await temporaryDirectory()
    await using log = await open(directory, { queueLimitBytes: 1_000 })
    const first = log.append(Buffer.alloc(900, 'a'), 'flushed')
    await expect(log.append(Buffer.alloc(900, 'b'), 'flushed')).rejects.toMatchObject({
      code: 'audit.unavailable',
    })
    await first
    await log.append(Buffer.alloc(900, 'c'), 'flushed')
    expect(log.health().state).toBe('open')
  })

  it('writes everything accepted before it is sealed, and takes nothing after', async () => {
    await using directory = await temporaryDirectory()
    const log = await open(directory)
    const appended = log.append(text('last'), 'strict')
    await log.seal()
    await appended
    expect(await entriesIn(directory)).toEqual(['last'])
    await expect(log.append(text('late'), 'flushed')).rejects.toMatchObject({ code: 'audit.unavailable' })
    await log.seal()
  })
})

describe('a failing disk', () => {
  it('is found in a write that takes only part of the bytes', async () => {
    await using directory = await temporaryDirectory()
    const disk = failingDisk()
    await using log = await open(directory, { disk })
    disk.limitWrites(10)
    await log.append(text('a long entry in many pieces'), 'strict')
    expect(await entriesIn(directory)).toEqual(['a long entry in many pieces'])
    disk.limitWrites(0)
    await expect(log.append(text('none'), 'flushed')).rejects.toMatchObject({ code: 'audit.unavailable' })
    expect(log.health().state).toBe('failed')
  })

  it('rejects everybody who waits when an fsync fails, and is never tried again', async () => {
    await using directory = await temporaryDirectory()
    const disk = failingDisk()
    const onFailure = vi.fn<(cause: unknown) => void>()
    await using log = await open(directory, { disk, onFailure, syncIntervalMs: 60_000 })
    const cause = Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })
    disk.failSyncs(cause)
    const appends = [1, 2, 3].map((value) => log.append(text(String(value)), 'strict'))
    for (const append of await Promise.allSettled(appends)) {
      expect(append).toMatchObject({ status: 'rejected', reason: { code: 'audit.unavailable', cause } })
    }
    expect(log.health()).toMatchObject({ state: 'failed', detail: cause.message })
    await expect(log.append(text('4'), 'flushed')).rejects.toMatchObject({ code: 'audit.unavailable' })
    expect(disk.syncs()).toBe(1)
    expect(onFailure).toHaveBeenCalledExactlyOnceWith(cause)
  })

  it('fails at a rotation too', async () => {
    await using directory = await temporaryDirectory()
    const disk = failingDisk()
    await using log = await open(directory, { disk, segmentLimitBytes: 400, syncIntervalMs: 60_000 })
    disk.failSyncs(new Error('EIO'))
    await log.append(text('fills the segment'.repeat(30)), 'flushed')
    await expect(log.append(text('next'), 'flushed')).rejects.toMatchObject({ code: 'audit.unavailable' })
    expect(log.health().state).toBe('failed')
  })

  it('counts as failed when it does not answer', async () => {
    await using directory = await temporaryDirectory()
    const disk = failingDisk()
    await using log = await open(directory, { disk, syncIntervalMs: 2, stallMs: 20 })
    disk.hangWrites()
    await expect(log.append(text('never'), 'flushed')).rejects.toMatchObject({ code: 'audit.unavailable' })
    expect(log.health().state).toBe('failed')
  })
})
