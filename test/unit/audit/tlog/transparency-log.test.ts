import { generateKeyPairSync } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { lockDirectory } from '../../../../gateway/lib/directory-lock.ts'
import { readEpoch } from '../../../../gateway/audit/read-entries.ts'
import { parseCheckpoint, type Checkpoint } from '../../../../gateway/audit/tlog/checkpoint.ts'
import { isSignedBy } from '../../../../gateway/audit/tlog/note.ts'
import { createKeySigner, type Signer } from '../../../../gateway/audit/tlog/signer.ts'
import {
  TransparencyLog,
  type TransparencyLogOptions,
} from '../../../../gateway/audit/tlog/transparency-log.ts'
import { failingDisk } from '../../../harness/failing-disk.ts'
import { referenceRoot } from '../../../harness/reference-tree.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../../../harness/temporary-directory.ts'

const signer = createKeySigner('gateway.example', generateKeyPairSync('ed25519').privateKey)

function open(
  { path }: TemporaryDirectory,
  options: Partial<TransparencyLogOptions> = {},
): Promise<TransparencyLog> {
  const lock = lockDirectory(path)
  if (lock === undefined) throw new Error('locked')
  return TransparencyLog.open({
    directory: path,
    epoch: 'e',
    lock,
    origin: 'gateway.example/n/e',
    signer,
    segmentLimitBytes: 1_000_000,
    checkpoints: { intervalMs: 60_000, idleIntervalMs: 60_000 },
    ...options,
  })
}

async function checkpointOf({ path }: TemporaryDirectory): Promise<Checkpoint> {
  const checkpoint = parseCheckpoint(await readFile(join(path, 'checkpoint'), 'utf8'))
  if (checkpoint === undefined || !isSignedBy(checkpoint.note, [signer.key])) throw new Error('not signed')
  return checkpoint
}

async function entriesOf({ path }: TemporaryDirectory): Promise<Buffer[]> {
  const entries: Buffer[] = []
  for await (const { bytes } of readEpoch({ node: 'n', epoch: 'e', directory: path })) entries.push(bytes)
  return entries
}

async function append(log: TransparencyLog, count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, index) => log.append(Buffer.from(`entry ${String(index)}`), 'flushed')),
  )
}

describe('a transparency log', () => {
  it('commits to what it holds, and to all of it when it is sealed', async () => {
    await using directory = await temporaryDirectory()
    const log = await open(directory)
    await append(log, 3)
    await log.publish()
    expect(await checkpointOf(directory)).toMatchObject({ origin: 'gateway.example/n/e', size: 3 })
    await append(log, 300)
    await log.seal()
    const checkpoint = await checkpointOf(directory)
    expect(checkpoint.size).toBe(303)
    expect(checkpoint.root).toEqual(referenceRoot(await entriesOf(directory)))
    // Nothing is left of its drafts, its reserve and the partial tiles that full ones have replaced.
    expect((await readdir(directory.path, { recursive: true })).sort()).toEqual(
      [
        'checkpoint',
        'lock',
        'segment-000001.wal',
        'tile',
        'tile/0',
        'tile/0/000',
        'tile/0/001.p',
        'tile/0/001.p/47',
        'tile/1',
        'tile/1/000.p',
        'tile/1/000.p/1',
        'tile/entries',
        'tile/entries/000',
        'tile/entries/001.p',
        'tile/entries/001.p/47',
      ].sort(),
    )
  })

  it('publishes by itself while it grows, and now and then while it does not', async () => {
    await using directory = await temporaryDirectory()
    const sizes: number[] = []
    await using log = await open(directory, {
      checkpoints: { intervalMs: 2, idleIntervalMs: 10 },
      onPublished: ({ size }) => void sizes.push(size),
    })
    await append(log, 5)
    await vi.waitFor(() => expect(sizes.at(-1)).toBe(5))
    const published = sizes.length
    await vi.waitFor(() => expect(sizes.length).toBeGreaterThan(published + 1))
  })

  it('commits to nothing that is not durable', async () => {
    await using directory = await temporaryDirectory()
    const disk = failingDisk()
    await using log = await open(directory, { disk })
    await append(log, 1)
    const release = disk.holdSyncs()
    const published = log.publish()
    await vi.waitFor(() => expect(disk.syncs()).toBe(1))
    expect(await readdir(directory.path)).not.toContain('tile')
    expect(await readdir(directory.path)).not.toContain('checkpoint')
    release()
    await published
    expect((await checkpointOf(directory)).size).toBe(1)
  })

  it('has the tiles on disk, names and all, before the checkpoint that needs them', async () => {
    await using directory = await temporaryDirectory()
    const disk = failingDisk()
    await using log = await open(directory, { disk })
    await append(log, 257)
    const steps: string[] = []
    disk.beforeEach(({ operation, path }) => {
      steps.push(`${operation} ${path.slice(directory.path.length + 1)}`)
    })
    await log.publish()
    const at = (step: string): number => steps.indexOf(step)
    for (const tile of ['tile/0/000', 'tile/0/001.p/1', 'tile/entries/000', 'tile/1/000.p/1']) {
      const folder = tile.split('/').slice(0, -1).join('/')
      expect(at('sync segment-000001.wal')).toBeLessThan(at(`write ${tile}.tmp`))
      expect(at(`write ${tile}.tmp`)).toBeLessThan(at(`sync ${tile}.tmp`))
      expect(at(`sync ${tile}.tmp`)).toBeLessThan(at(`rename ${tile}.tmp`))
      expect(at(`rename ${tile}.tmp`)).toBeLessThan(steps.lastIndexOf(`syncDirectory ${folder}`))
      expect(steps.lastIndexOf(`syncDirectory ${folder}`)).toBeLessThan(at('write checkpoint.tmp'))
    }
    expect(at('rename checkpoint.tmp')).toBeLessThan(steps.lastIndexOf('syncDirectory '))
  })

  it('never puts an older checkpoint over a newer one, however publications overlap', async () => {
    await using directory = await temporaryDirectory()
    const sizes: number[] = []
    // Later texts are signed sooner: what overlapped would finish in the wrong order.
    let delayMs = 12
    const slow: Signer = {
      key: signer.key,
      sign: async (text) => {
        await new Promise((resolve) => setTimeout(resolve, (delayMs -= 2)))
        return signer.sign(text)
      },
    }
    await using log = await open(directory, {
      signer: slow,
      onPublished: ({ size }) => void sizes.push(size),
    })
    const publications: Promise<void>[] = []
    for (let round = 0; round < 5; round++) {
      await append(log, 100)
      publications.push(log.publish())
    }
    await Promise.all(publications)
    expect(sizes).toHaveLength(5)
    expect(sizes).toEqual(sizes.toSorted((one, other) => one - other))
    expect((await checkpointOf(directory)).size).toBe(500)
  })

  it('belongs to one holder, and to the next one once it is sealed', async () => {
    await using directory = await temporaryDirectory()
    const log = await open(directory)
    expect(lockDirectory(directory.path)).toBeUndefined()
    await log.seal()
    const lock = lockDirectory(directory.path)
    expect(lock).toBeDefined()
    lock?.release()
  })
})

describe('what goes wrong', () => {
  it('a signer that is away delays checkpoints and no call', async () => {
    await using directory = await temporaryDirectory()
    let away = true
    const failures: unknown[] = []
    const moody: Signer = {
      key: signer.key,
      sign: (text) => (away ? Promise.reject(new Error('503')) : signer.sign(text)),
    }
    await using log = await open(directory, {
      signer: moody,
      onPublishFailed: (cause) => void failures.push(cause),
    })
    await append(log, 300)
    await log.publish()
    expect(failures).toMatchObject([{ name: 'PublishDelayed', cause: { message: '503' } }])
    expect(existsSync(join(directory.path, 'checkpoint'))).toBe(false)
    expect(log.health().state).toBe('open')
    away = false
    await append(log, 1)
    await log.publish()
    expect((await checkpointOf(directory)).size).toBe(301)
  })

  it('a checkpoint of somebody else ends the log, and stays', async () => {
    await using directory = await temporaryDirectory()
    const onFailure = vi.fn<(cause: unknown) => void>()
    await using log = await open(directory, { onFailure })
    await append(log, 1)
    await log.publish()
    await writeFile(join(directory.path, 'checkpoint'), 'another')
    await append(log, 1)
    await log.publish()
    expect(log.health().state).toBe('failed')
    expect(onFailure.mock.lastCall).toMatchObject([{ name: 'CorruptLog' }])
    expect(await readFile(join(directory.path, 'checkpoint'), 'utf8')).toBe('another')
  })

  it('a disk that fails under the tiles ends the log', async () => {
    await using directory = await temporaryDirectory()
    const disk = failingDisk()
    await using log = await open(directory, { disk })
    await append(log, 1)
    await log.sync()
    disk.failSyncs(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }))
    await log.publish()
    expect(log.health()).toMatchObject({ state: 'failed', detail: 'EIO: i/o error' })
    await expect(log.append(Buffer.from('late'), 'flushed')).rejects.toMatchObject({
      code: 'audit.unavailable',
    })
  })
})

describe('a full disk', () => {
  const noRoom = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })

  /** A disk that takes nothing more until the reserve of the log is given up. */
  function fullDisk(): { disk: ReturnType<typeof failingDisk>; fill: () => void } {
    const disk = failingDisk()
    let full = false
    disk.beforeEach(({ operation, path }) => {
      if (operation === 'remove' && path.endsWith('reserve')) full = false
      if (operation === 'write' && full) throw noRoom
    })
    return { disk, fill: () => void (full = true) }
  }

  it('leaves room for what calls under way have left to say, and for the seal', async () => {
    await using directory = await temporaryDirectory()
    const { disk, fill } = fullDisk()
    const log = await open(directory, { disk })
    await append(log, 2)
    fill()
    await log.append(Buffer.from('outcome'), 'strict')
    expect(log.health()).toMatchObject({ state: 'full', detail: 'the disk has no room' })
    await log.append(Buffer.from('another'), 'flushed')
    await log.seal()
    expect((await entriesOf(directory)).map(String)).toEqual(['entry 0', 'entry 1', 'outcome', 'another'])
    expect((await checkpointOf(directory)).size).toBe(4)
  })

  it('ends the log when the room that was kept is used up too', async () => {
    await using directory = await temporaryDirectory()
    const disk = failingDisk()
    await using log = await open(directory, { disk })
    disk.failWrites(noRoom)
    await expect(log.append(Buffer.from('one'), 'flushed')).rejects.toMatchObject({
      code: 'audit.unavailable',
    })
    expect(log.health().state).toBe('failed')
  })

  it('delays the tiles, which can be made at any time', async () => {
    await using directory = await temporaryDirectory()
    const disk = failingDisk()
    const onPublishFailed = vi.fn<(cause: unknown) => void>()
    await using log = await open(directory, { disk, onPublishFailed })
    await append(log, 300)
    let room = false
    disk.beforeEach(({ operation, path }) => {
      if (operation === 'write' && path.includes('tile') && !room) throw noRoom
    })
    await log.publish()
    expect(onPublishFailed.mock.lastCall).toMatchObject([{ name: 'PublishDelayed' }])
    expect(log.health().state).toBe('open')
    room = true
    await log.publish()
    expect((await checkpointOf(directory)).size).toBe(300)
  })
})
