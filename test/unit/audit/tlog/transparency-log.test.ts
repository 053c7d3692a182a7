import { readdir } from 'node:fs/promises'
import { describe, expect, it, vi } from 'vitest'
import { lockDirectory } from '../../../../gateway/lib/directory-lock.ts'
import type { Signer } from '../../../../gateway/audit/tlog/signer.ts'
import { failingDisk } from '../../../harness/failing-disk.ts'
import { referenceRoot } from '../../../harness/reference-tree.ts'
import { temporaryDirectory } from '../../../harness/temporary-directory.ts'
import { append, checkpointOf, entriesOf, open, signer } from './open-log.ts'

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
