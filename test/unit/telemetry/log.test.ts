import { readFile, rename, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { pino, stdTimeFunctions } from 'pino'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { lineOf, openLog, type LogFields } from '../../../gateway/telemetry/log.ts'
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

  it('lets no line wait that an operator should look at, and none before it', async () => {
    await using directory = await temporaryDirectory()
    const file = join(directory.path, 'toolgate.log')
    const log = await openLog({ logLevel: 'info', logDestination: file })
    // Nothing that has to wait for a timer is written from here on.
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    log.write('info', 'gateway.started', {})
    log.write('warn', 'audit.failed', {})
    log.write('info', 'gateway.stopped', {})
    vi.useRealTimers()
    await vi.waitFor(async () => expect((await linesOf(file)).length).toBeGreaterThan(0))
    expect(await linesOf(file)).toMatchObject([{ event: 'gateway.started' }, { event: 'audit.failed' }])
    await log[Symbol.asyncDispose]()
    await vi.waitFor(async () => expect((await linesOf(file)).length).toBe(3))
  })

  it('counts a line that comes after its file was closed, and does not throw', async () => {
    await using directory = await temporaryDirectory()
    const log = await openLog({ logLevel: 'info', logDestination: join(directory.path, 'toolgate.log') })
    await log[Symbol.asyncDispose]()
    await vi.waitFor(() => {
      log.write('info', 'gateway.started', {})
      expect(log.lostLines()).toBeGreaterThan(0)
    })
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

describe('a line', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  /** As pino writes it. */
  function lineOfPino(level: 'info' | 'error', event: string, fields: LogFields): string {
    let written = ''
    const logger = pino(
      {
        base: null,
        messageKey: 'event',
        timestamp: stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
      },
      { write: (line) => void (written += line) },
    )
    logger[level](fields, event)
    return written
  }

  it('is laid out as pino does, byte for byte', () => {
    vi.useFakeTimers({ now: Date.UTC(2026, 10, 26, 9, 0, 0, 7) })
    const text = fc.string({ unit: 'binary', maxLength: 80 })
    const fields = fc.record(
      {
        call_id: text,
        detail: fc.option(text, { nil: undefined }),
        duration_ms: fc.double(),
        status: fc.integer(),
        sealed: fc.boolean(),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.constantFrom('info', 'error'), fields, (level, given) => {
        expect(lineOf(level, 'call', given)).toBe(lineOfPino(level, 'call', given))
      }),
    )
  })

  it('is one line of sound text, whatever stands in a field', () => {
    const line = lineOf('info', 'call', { detail: 'a\ud800\n"b\\' })
    expect(line.isWellFormed()).toBe(true)
    expect(line.indexOf('\n')).toBe(line.length - 1)
    expect(JSON.parse(line)).toMatchObject({ detail: 'a\ud800\n"b\\', event: 'call' })
  })
})
