import { readFile, rename, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { openLog } from '../../../gateway/telemetry/log.ts'
import { temporaryDirectory } from '../../harness/temporary-directory.ts'

async function linesOf(file: string): Promise<object[]> {
  const text = await readFile(file, 'utf8')
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as object]))
}

describe('the log', () => {
  it('is one JSON object a line, with level, time and event in every one', async () => {
    await using directory = await temporaryDirectory()
    const file = join(directory.path, 'made', 'toolgate.log')
    {
      await using log = await openLog({ logLevel: 'info', logDestination: file })
      log.write('info', 'gateway.started', { port: 8080, host: '127.0.0.1' })
      log.write('debug', 'gateway.stopped', {})
    }
    expect(await linesOf(file)).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
        port: 8080,
        host: '127.0.0.1',
        event: 'gateway.started',
      },
    ])
  })

  it('goes on in a new file once the old one was rotated away', async () => {
    await using directory = await temporaryDirectory()
    const file = join(directory.path, 'toolgate.log')
    {
      await using log = await openLog({ logLevel: 'info', logDestination: file })
      log.write('info', 'gateway.started', {})
      await vi.waitFor(async () => expect((await linesOf(file)).length).toBe(1))
      await rename(file, `${file}.1`)
      log.reopen()
      await vi.waitFor(async () => expect((await stat(file)).isFile()).toBe(true))
      log.write('info', 'gateway.stopped', {})
    }
    expect(await linesOf(file)).toMatchObject([{ event: 'gateway.stopped' }])
  })

  it('that cannot be opened is said at once', async () => {
    await using directory = await temporaryDirectory()
    await expect(openLog({ logLevel: 'info', logDestination: directory.path })).rejects.toThrow('EISDIR')
  })

  it('counts the lines that a full disk takes, and the process lives on', async () => {
    await using directory = await temporaryDirectory()
    const file = join(directory.path, 'full')
    await symlink('/dev/full', file)
    const log = await openLog({ logLevel: 'info', logDestination: file })
    log.write('info', 'gateway.started', {})
    await vi.waitFor(() => expect(log.lostLines()).toBeGreaterThan(0))
    log.write('info', 'gateway.stopped', {})
    await log[Symbol.asyncDispose]()
  })
})
