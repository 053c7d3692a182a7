import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import type { Signer } from '../../../../gateway/audit/tlog/signer.ts'
import { failingDisk } from '../../../harness/failing-disk.ts'
import { temporaryDirectory } from '../../../harness/temporary-directory.ts'
import { append, checkpointOf, entriesOf, open, signer } from './open-log.ts'

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
