import { copyFile, cp, open, readdir, readFile, truncate, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CorruptLog } from '../../gateway/audit/corrupt-log.ts'
import { decodeEntry, type AuditEntry } from '../../gateway/audit/entry.ts'
import { lockDirectory } from '../../gateway/lib/directory-lock.ts'
import { openAudit, type Audit } from '../../gateway/audit/open-audit.ts'
import { listEpochs, readEntries } from '../../gateway/audit/read-entries.ts'
import { readSegment } from '../../gateway/audit/read-segment.ts'
import { runAudit, runAuditJson } from '../harness/audit-command.ts'
import { auditConfig } from '../harness/audit-config.ts'
import { syntheticOutcome, syntheticSealed } from '../harness/synthetic-call.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../harness/temporary-directory.ts'

const SEGMENT = 'segment-000001.wal'

function start(directory: string, node = 'worker-1', segmentLimitBytes = 1_000_000): Promise<Audit> {
  return openAudit({
    config: auditConfig(directory, { segmentLimitBytes }),
    node,
    version: '0.1.0',
  })
}

/** What a process leaves behind that dies here: the files as they are, without its locks. */
async function crashed(from: TemporaryDirectory, to: TemporaryDirectory): Promise<string> {
  const directory = join(to.path, 'crashed')
  // Disclosures are written on, beside the log, while this copies.
  await cp(from.path, directory, { recursive: true, filter: (path) => !path.includes('.disclosures') })
  return directory
}

async function entriesOf(directory: string): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = []
  for await (const { bytes } of readEntries(directory)) {
    const entry = decodeEntry(bytes)
    if (entry !== undefined) entries.push(entry)
  }
  return entries
}

async function onlyEpoch(directory: string): Promise<string> {
  const [epoch] = await listEpochs(directory)
  if (epoch === undefined) throw new Error('no epoch')
  return epoch.directory
}

/** An epoch with one concluded call and two open ones, as its process left it. */
async function crashedWithTwoOpenCalls(to: TemporaryDirectory): Promise<string> {
  await using life = await temporaryDirectory()
  await using audit = await start(life.path)
  for (const callId of ['done', 'open-1', 'open-2']) {
    await audit.recorder.intend(syntheticSealed({ callId, access: 'write' }))
  }
  const { call } = syntheticSealed({ callId: 'done' }).permit
  await audit.recorder.conclude(call, syntheticOutcome())
  return await crashed(life, to)
}

describe('the next start', () => {
  it('puts calls without an outcome on record as unknown, once', async () => {
    await using directory = await temporaryDirectory()
    const left = await crashedWithTwoOpenCalls(directory)
    {
      await using audit = await start(left)
      expect(audit.recoveries).toMatchObject([
        { sealed: false, tornBytes: 0, inDoubtCalls: ['open-1', 'open-2'] },
      ])
    }
    const entries = await entriesOf(left)
    const unknown = entries.filter((entry) => entry.type === 'outcome' && entry.outcome === 'unknown')
    expect(unknown).toMatchObject([{ call: 'open-1' }, { call: 'open-2' }])
    expect(entries.filter(({ type }) => type === 'recovery')).toMatchObject([{ in_doubt: 2, torn_bytes: 0 }])
    await using again = await start(left)
    expect(again.recoveries).toMatchObject([{ sealed: true, inDoubtCalls: [] }])
  })

  it('has them found by whoever asks, before it as open, and after it as in doubt', async () => {
    await using directory = await temporaryDirectory()
    const left = await crashedWithTwoOpenCalls(directory)
    const listed = async (outcome: string): Promise<unknown[]> =>
      (await runAuditJson(['query', '--outcome', outcome, '--oldest', '--audit', left])).map(
        ({ call }) => call,
      )
    const doubtful = async (): Promise<string> =>
      (await runAudit(['export', '--format', 'html', '--audit', left])).printed
    expect([await listed('open'), await listed('unknown')]).toEqual([['open-1', 'open-2'], []])
    expect(await doubtful()).toMatch(/Calls in doubt[^]*open-1[^]*no outcome on record/)
    await (await start(left))[Symbol.asyncDispose]()
    expect([await listed('open'), await listed('unknown')]).toEqual([[], ['open-1', 'open-2']])
    expect(await doubtful()).toMatch(/Calls in doubt[^]*open-1[^]*the upstream may have acted/)
  })

  it('does not repeat what a start that died in its own recovery has written', async () => {
    await using directory = await temporaryDirectory()
    const left = await crashedWithTwoOpenCalls(directory)
    await using middle = await temporaryDirectory()
    let half: string
    {
      await using audit = await start(left)
      expect(audit.recoveries.length).toBe(1)
      half = await crashed({ ...directory, path: left }, middle)
    }
    // Died before it could mark the old epoch as done.
    await unlink(join(await onlyEpoch(half), 'recovered'))
    await using again = await start(half)
    expect(again.recoveries.map(({ inDoubtCalls }) => inDoubtCalls)).toEqual([[], []])
  })

  it('cuts off a torn tail and says how much', async () => {
    await using directory = await temporaryDirectory()
    const left = await crashedWithTwoOpenCalls(directory)
    const segment = join(await onlyEpoch(left), SEGMENT)
    // The last entry is the outcome of `done`.
    await truncate(segment, ((await readSegment(segment)).entries.at(-1)?.offset ?? 0) + 20)
    await using audit = await start(left)
    expect(audit.recoveries[0]?.tornBytes).toBe(20)
    expect((await readSegment(segment)).damage).toBeUndefined()
    expect(audit.recoveries[0]?.inDoubtCalls).toEqual(['done', 'open-1', 'open-2'])
    expect((await entriesOf(left)).filter(({ type }) => type === 'recovery')).toMatchObject([
      { torn_bytes: audit.recoveries[0]?.tornBytes },
    ])
  })

  it('will not go on over durable entries that have changed', async () => {
    await using directory = await temporaryDirectory()
    const left = await crashedWithTwoOpenCalls(directory)
    const segment = join(await onlyEpoch(left), SEGMENT)
    const bytes = await readFile(segment)
    bytes.writeUInt8(bytes.readUInt8(400) ^ 1, 400)
    await writeFile(segment, bytes)
    await expect(start(left)).rejects.toThrow(CorruptLog)
    // Nothing was repaired away: whoever comes to look finds it as it was.
    expect(await readFile(segment)).toEqual(bytes)
    await expect(start(left)).rejects.toThrow(CorruptLog)
  })

  it('will not go on without a segment that was there', async () => {
    await using life = await temporaryDirectory()
    await using audit = await start(life.path, 'worker-1', 2_000)
    for (let index = 0; index < 20; index++) await audit.recorder.intend(syntheticSealed())
    await using directory = await temporaryDirectory()
    const left = await crashed(life, directory)
    await unlink(join(await onlyEpoch(left), 'segment-000002.wal'))
    await expect(start(left)).rejects.toThrow(/missing/)
  })

  it('knows the open calls of segments long past from the last one alone', async () => {
    await using life = await temporaryDirectory()
    await using audit = await start(life.path, 'worker-1', 4_000)
    await audit.recorder.intend(syntheticSealed({ callId: 'open since long ago' }))
    for (let index = 0; index < 50; index++) {
      const sealed = syntheticSealed()
      await audit.recorder.intend(sealed)
      await audit.recorder.conclude(sealed.permit.call, syntheticOutcome())
    }
    await using directory = await temporaryDirectory()
    const left = await crashed(life, directory)
    const epoch = await onlyEpoch(left)
    const segments = (await readdir(epoch)).filter((name) => name.endsWith('.wal')).sort()
    expect(segments.length).toBeGreaterThan(5)
    await using next = await start(left)
    expect(next.recoveries[0]?.inDoubtCalls).toEqual(['open since long ago'])
  })

  it('finds them in the segment before when death came during a rotation', async () => {
    await using life = await temporaryDirectory()
    await using audit = await start(life.path, 'worker-1', 4_000)
    await audit.recorder.intend(syntheticSealed({ callId: 'open' }))
    while (!(await readdir(await onlyEpoch(life.path))).includes('segment-000002.wal')) {
      const sealed = syntheticSealed()
      await audit.recorder.intend(sealed)
      await audit.recorder.conclude(sealed.permit.call, syntheticOutcome())
    }
    await using directory = await temporaryDirectory()
    const left = await crashed(life, directory)
    const segment = join(await onlyEpoch(left), 'segment-000002.wal')
    // Every place at which the write of the header and of what it carries can have been cut off.
    const bytes = await readFile(segment)
    for (const sizeBytes of [0, 1, 40, 150, 200]) {
      const copy = join(directory.path, String(sizeBytes))
      await cp(left, copy, { recursive: true })
      await writeFile(join(await onlyEpoch(copy), 'segment-000002.wal'), bytes.subarray(0, sizeBytes))
      await using next = await start(copy)
      expect(next.recoveries[0]?.inDoubtCalls).toContain('open')
    }
  })

  it('leaves a living process alone', async () => {
    await using directory = await temporaryDirectory()
    await using living = await start(directory.path)
    await living.recorder.intend(syntheticSealed({ callId: 'in flight' }))
    await using next = await start(directory.path)
    expect(next.recoveries).toEqual([])
    await living.recorder.intend(syntheticSealed())
    expect(next.log.epoch).not.toBe(living.log.epoch)
  })

  it('recovers what a worker left that is no longer started', async () => {
    await using directory = await temporaryDirectory()
    const left = await crashedWithTwoOpenCalls(directory)
    await using audit = await start(left, 'worker-2')
    expect(audit.recoveries).toMatchObject([{ node: 'worker-1', inDoubtCalls: ['open-1', 'open-2'] }])
  })

  it('is done once when several start together', async () => {
    await using directory = await temporaryDirectory()
    const left = await crashedWithTwoOpenCalls(directory)
    const audits = await Promise.all(
      Array.from({ length: 16 }, (_, worker) => start(left, `worker-${String(worker)}`)),
    )
    expect(audits.flatMap(({ recoveries }) => recoveries).length).toBe(1)
    for (const audit of audits) await audit.log.seal()
    const entries = await entriesOf(left)
    expect(entries.filter((entry) => entry.type === 'outcome' && entry.outcome === 'unknown').length).toBe(2)
  })

  it('lets go of what it held when it fails', async () => {
    await using directory = await temporaryDirectory()
    const left = await crashedWithTwoOpenCalls(directory)
    const epoch = await onlyEpoch(left)
    await copyFile(join(epoch, SEGMENT), join(directory.path, 'kept'))
    await using handle = await open(join(epoch, SEGMENT), 'r+')
    await handle.write(Buffer.alloc(4, 0xff), 0, 4, 300)
    await expect(start(left)).rejects.toThrow(CorruptLog)
    const lock = lockDirectory(epoch)
    expect(lock).toBeDefined()
    lock?.release()
    await copyFile(join(directory.path, 'kept'), join(epoch, SEGMENT))
    await using audit = await start(left)
    expect(audit.recoveries.length).toBe(1)
  })

  it('refuses a node name that leaves the audit directory', async () => {
    await using directory = await temporaryDirectory()
    await expect(start(directory.path, '../elsewhere')).rejects.toThrow(RangeError)
  })
})
