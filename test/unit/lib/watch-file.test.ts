import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { watchFile, type WatchOptions } from '../../../gateway/lib/watch-file.ts'
import { temporaryDirectory } from '../../harness/temporary-directory.ts'
import { until } from '../../harness/until.ts'

/** Longer than any test: what is noticed is noticed by the watcher. */
const NEVER_MS = 600_000

interface Watched extends AsyncDisposable {
  readonly path: string
  readonly folder: string
  /** What the file held at each call; `gone` where there was none. */
  readonly told: string[]
  readonly watching: Disposable
}

async function watched(
  options: WatchOptions & { prepare?: (folder: string) => Promise<string>; content?: string } = {},
): Promise<Watched> {
  const { prepare, content = 'one', ...more } = options
  await using stack = new AsyncDisposableStack()
  const directory = stack.use(await temporaryDirectory())
  const path = prepare === undefined ? join(directory.path, 'file') : await prepare(directory.path)
  if (prepare === undefined) await writeFile(path, content)
  const told: string[] = []
  const tell = (): void => {
    void readFile(path, 'utf8').then(
      (text) => told.push(text),
      () => told.push('gone'),
    )
  }
  const watching = stack.use(watchFile(path, tell, { pollMs: NEVER_MS, settleMs: 20, ...more }))
  const owned = stack.move()
  return { path, folder: dirname(path), told, watching, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

describe('a watched file is told of', () => {
  it('when it is written over', async () => {
    await using file = await watched()
    await writeFile(file.path, 'two')
    await until(() => file.told.length === 1)
    expect(file.told).toEqual(['two'])
  })

  it('when another takes its place', async () => {
    await using file = await watched()
    await writeFile(join(file.folder, 'next'), 'two')
    await rename(join(file.folder, 'next'), file.path)
    await until(() => file.told.length === 1)
    expect(file.told).toEqual(['two'])
  })

  it('when the link that its path leads through is swapped, as Kubernetes does', async () => {
    await using file = await watched({
      prepare: async (folder) => {
        for (const [version, content] of [
          ['..v1', 'one'],
          ['..v2', 'two'],
        ] as const) {
          await mkdir(join(folder, version))
          await writeFile(join(folder, version, 'file'), content)
        }
        await symlink('..v1', join(folder, '..data'))
        await symlink('..data/file', join(folder, 'file'))
        return join(folder, 'file')
      },
    })
    await symlink('..v2', join(file.folder, '..data_tmp'))
    await rename(join(file.folder, '..data_tmp'), join(file.folder, '..data'))
    await until(() => file.told.length === 1)
    expect(file.told).toEqual(['two'])
  })

  it('when it goes, and when it comes back', async () => {
    await using file = await watched()
    await rm(file.path)
    await until(() => file.told.length === 1)
    await writeFile(file.path, 'two')
    await until(() => file.told.length === 2)
    expect(file.told).toEqual(['gone', 'two'])
  })

  it('although its folder never rests', async () => {
    await using file = await watched({ settleMs: 50 })
    const restless = setInterval(() => void writeFile(join(file.folder, 'other'), 'x'), 5)
    await writeFile(file.path, 'two')
    await until(() => file.told.length === 1).finally(() => clearInterval(restless))
    expect(file.told).toEqual(['two'])
  })

  it('when it changed between being read and being watched', async () => {
    await using file = await watched({ seen: 'of an earlier file' })
    await until(() => file.told.length === 1)
    expect(file.told).toEqual(['one'])
  })

  it('when its folder was not there to be watched', async () => {
    await using file = await watched({
      prepare: (folder) => Promise.resolve(join(folder, 'later', 'file')),
      pollMs: 10,
    })
    await mkdir(file.folder)
    await writeFile(file.path, 'one')
    await until(() => file.told.length === 1)
    expect(file.told).toEqual(['one'])
  })
})

describe('a watched file is not told of', () => {
  it('before it stays as it is: half a file is never read', async () => {
    await using file = await watched({ settleMs: 200 })
    let text = ''
    for (let part = 0; part < 20; part += 1) {
      text += 'part'
      await writeFile(file.path, text)
      await pause(10)
    }
    await until(() => file.told.length > 0)
    expect(file.told).toEqual([text])
  })

  it('when only its neighbour changed', async () => {
    await using file = await watched({ pollMs: 5, settleMs: 1 })
    let neighbour = 0
    using _watching = watchFile(join(file.folder, 'other'), () => (neighbour += 1))
    await writeFile(join(file.folder, 'other'), 'x')
    await until(() => neighbour === 1)
    expect(file.told).toEqual([])
  })

  it('after disposal', async () => {
    await using file = await watched({ pollMs: 5, settleMs: 1 })
    file.watching[Symbol.dispose]()
    let elsewhere = 0
    using _watching = watchFile(file.path, () => (elsewhere += 1))
    await writeFile(file.path, 'two')
    await until(() => elsewhere === 1)
    expect(file.told).toEqual([])
  })
})
