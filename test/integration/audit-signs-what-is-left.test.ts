import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CorruptLog } from '../../gateway/audit/corrupt-log.ts'
import { openAudit, type Audit } from '../../gateway/audit/open-audit.ts'
import { listEpochs } from '../../gateway/audit/read-entries.ts'
import { readSegment } from '../../gateway/audit/read-segment.ts'
import { parseCheckpoint } from '../../gateway/audit/tlog/checkpoint.ts'
import { verifyAudit } from '../../gateway/audit/verify/verify-audit.ts'
import { auditConfig } from '../harness/audit-config.ts'
import { syntheticSealed } from '../harness/synthetic-call.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../harness/temporary-directory.ts'

const SEGMENT = 'segment-000001.wal'

function start(directory: string, more: Parameters<typeof auditConfig>[1] = {}): Promise<Audit> {
  const config = auditConfig(directory, {
    checkpointIntervalMs: 60_000,
    disclosures: { ...auditConfig(directory).disclosures, enabled: false },
    ...more,
  })
  return openAudit({ config, node: 'worker-1', version: '0.1.0' })
}

/** What a process leaves that dies with `signed` calls under a checkpoint and `more` that are not. */
async function killed(to: TemporaryDirectory, signed: number, more: number): Promise<string> {
  await using life = await temporaryDirectory()
  await using audit = await start(life.path)
  const intend = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index++)
      await audit.recorder.intend(syntheticSealed({ access: 'write' }))
  }
  await intend(signed)
  await audit.publish()
  await intend(more)
  const directory = join(to.path, 'killed')
  await cp(life.path, directory, { recursive: true })
  return directory
}

async function epochOf(directory: string): Promise<string> {
  return (await listEpochs(directory))[0]?.directory ?? ''
}

async function sizeSigned(directory: string): Promise<number | undefined> {
  return parseCheckpoint(await readFile(join(await epochOf(directory), 'checkpoint'), 'utf8'))?.size
}

async function startAndStop(directory: string): Promise<void> {
  await (await start(directory))[Symbol.asyncDispose]()
}

describe('the next start', () => {
  it.each([
    [2, 3],
    [300, 5],
    [254, 1],
    [255, 300],
  ])('signs what a dead process left, %i calls signed and %i not', async (signed, more) => {
    await using directory = await temporaryDirectory()
    const left = await killed(directory, signed, more)
    expect(await sizeSigned(left)).toBe(1 + signed)
    await startAndStop(left)
    expect(await sizeSigned(left)).toBe(1 + signed + more)
    expect((await verifyAudit({ directory: left, complete: true })).problems).toEqual([])
  })

  it('makes the tiles again when they are gone, and signs only what they then give', async () => {
    await using directory = await temporaryDirectory()
    const left = await killed(directory, 300, 5)
    await rm(join(await epochOf(left), 'tile'), { recursive: true })
    await startAndStop(left)
    expect(await sizeSigned(left)).toBe(306)
    expect((await verifyAudit({ directory: left, complete: true })).problems).toEqual([])
  })

  it.each([
    ['tile/0/001.p/45', 'tile.changed'],
    ['tile/entries/001.p/45', 'bundle.changed'],
  ])('does not go on from a changed %s, and leaves it to be found', async (file, code) => {
    await using directory = await temporaryDirectory()
    const left = await killed(directory, 300, 5)
    await writeFile(join(await epochOf(left), file), Buffer.alloc(45 * 32))
    await startAndStop(left)
    expect(await sizeSigned(left)).toBe(306)
    const { problems } = await verifyAudit({ directory: left, complete: true })
    expect(problems).toMatchObject([{ code, file: expect.stringContaining(file) as string }])
  })

  it('will not go on when entries are missing that were signed, and cuts nothing off', async () => {
    await using directory = await temporaryDirectory()
    const left = await killed(directory, 3, 0)
    const segment = join(await epochOf(left), SEGMENT)
    const cutAt = (await readSegment(segment)).entries.at(-1)?.offset ?? 0
    await truncate(segment, cutAt + 20)
    await expect(start(left)).rejects.toMatchObject({ name: 'CorruptLog', path: segment, offset: cutAt })
    expect((await readFile(segment)).length).toBe(cutAt + 20)
  })

  it('will not sign what does not follow from what was signed', async () => {
    await using directory = await temporaryDirectory()
    await using elsewhere = await temporaryDirectory()
    const one = await killed(directory, 3, 1)
    const another = await killed(elsewhere, 3, 1)
    // Another history of the same length, its frames sound, without tiles to go on from.
    const epoch = await epochOf(one)
    const bytes = await readFile(join(await epochOf(another), SEGMENT))
    const { entries } = await readSegment(join(epoch, SEGMENT))
    await rm(join(epoch, 'tile'), { recursive: true })
    const header = (await readFile(join(epoch, SEGMENT))).subarray(0, entries[0]?.offset)
    const foreign = (await readSegment(join(await epochOf(another), SEGMENT))).entries[0]?.offset
    await writeFile(join(epoch, SEGMENT), Buffer.concat([header, bytes.subarray(foreign)]))
    await expect(start(one)).rejects.toThrow(CorruptLog)
  })

  it('will not go on from a checkpoint that is not its own', async () => {
    await using directory = await temporaryDirectory()
    const left = await killed(directory, 3, 1)
    const file = join(await epochOf(left), 'checkpoint')
    const text = await readFile(file, 'utf8')
    for (const changed of [text.replace('\n4\n', '\n2\n'), '', 'hello\n']) {
      await writeFile(file, changed)
      await expect(start(left)).rejects.toMatchObject({ name: 'CorruptLog', path: file })
    }
    await writeFile(file, text)
    await expect(start(left, { deployment: 'another.example' })).rejects.toMatchObject({ path: file })
    await startAndStop(left)
  })

  it('goes on with a new key, and closes what the old one signed', async () => {
    await using directory = await temporaryDirectory()
    const left = await killed(directory, 3, 1)
    const signingKeyFile = join(directory.path, 'next.key')
    await (await start(left, { signingKeyFile }))[Symbol.asyncDispose]()
    const { problems, logs } = await verifyAudit({ directory: left, complete: true })
    expect(problems).toEqual([])
    expect(logs).toMatchObject([{ recovered: true }, { sealed: true }])
  })
})
