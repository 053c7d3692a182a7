import { generateKeyPairSync, createPrivateKey } from 'node:crypto'
import { dirname } from 'node:path'
import { frameAt, frameBytes, writeFrame } from '../../gateway/audit/frame.ts'
import { parseCheckpoint, signCheckpoint } from '../../gateway/audit/tlog/checkpoint.ts'
import { createKeySigner } from '../../gateway/audit/tlog/signer.ts'
import { verifyAudit } from '../../gateway/audit/verify/verify-audit.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTampering, type Tampering } from '../harness/tampering.ts'

let ground: Tampering
beforeAll(async () => {
  ground = await startTampering()
})
afterAll(() => ground[Symbol.asyncDispose]())

/** Files of one log, one of each kind; every other kind of tile is in the long one alone. */
const KINDS = [
  ['the first segment', 'segment-000001.wal', 'frame.changed', 'segment.missing'],
  ['the last segment', 'segment-000004.wal', 'frame.changed', 'entries.missing'],
  ['a full bundle', 'tile/entries/000', 'bundle.changed', 'bundle.missing'],
  ['a partial bundle', 'tile/entries/001.p/75', 'bundle.changed', 'bundle.missing'],
  ['a full tile', 'tile/0/000', 'tile.changed', 'tile.missing'],
  ['a partial tile', 'tile/0/001.p/75', 'tile.changed', 'tile.missing'],
  ['a tile above', 'tile/1/000.p/1', 'tile.changed', 'tile.missing'],
] as const

it('finds nothing in what two killed and restarted workers leave', async () => {
  const { problems, logs, inDoubt } = await verifyAudit({ directory: ground.directory, complete: true })
  expect(problems).toEqual([])
  expect(logs).toMatchObject([
    { node: 'fleet', recovered: true, sealed: false },
    { node: 'fleet', recovered: false, sealed: true },
    { node: 'worker-1', recovered: true, sealed: false, entries: 42, signed: 42 },
    { node: 'worker-2', recovered: true, sealed: false },
    { node: 'worker-1', recovered: false, sealed: true, entries: 331, signed: 331 },
    { node: 'worker-2', recovered: false, sealed: true },
  ])
  expect(inDoubt).toMatchObject([{ node: 'worker-1' }, { node: 'worker-2' }])
})

describe.each(KINDS)('%s', (_, name, code, missing) => {
  const file = (): string => ground.inLog('worker-1', 'ended', name)

  it('with one bit changed is named, with the byte', async () => {
    const sizeBytes = ground.read(file()).length
    // The seal is the last frame: without it the log is one that has not ended.
    const last = name === 'segment-000004.wal' ? sizeBytes - 50 : sizeBytes - 1
    const places = new Set(Array.from({ length: 5 }, (_, step) => Math.floor((step * last) / 4)))
    for (const at of places) {
      const problems = await ground.problemsAfter(() => ground.flip(file(), at))
      expect(problems).toContainEqual(expect.objectContaining({ code, file: file() }))
      const offset = problems.find((problem) => problem.file === file())?.offset ?? -1
      // A frame that speaks of the log itself has no second copy to tell the byte by: there the frame is named.
      expect(at - offset).toBeGreaterThanOrEqual(0)
      expect(at - offset).toBeLessThan(name.endsWith('.wal') ? 160 : 1)
    }
  })

  it('cut short is named', async () => {
    const whole = ground.read(file())
    for (const keptBytes of [0, 1, Math.floor(whole.length / 2), whole.length - 60]) {
      const problems = await ground.problemsAfter(() =>
        ground.write(file(), whole.subarray(0, Math.max(0, keptBytes))),
      )
      expect(problems.map((problem) => problem.file).join(' ')).toContain(
        name === 'segment-000004.wal' ? dirname(file()) : file(),
      )
    }
  })

  it('taken away is named', async () => {
    const problems = await ground.problemsAfter(() => ground.remove(file()))
    // Nothing says how many segments there were, and the checkpoint says how many entries.
    const isLast = missing === 'entries.missing'
    const place = isLast ? dirname(file()) : file()
    expect(problems).toContainEqual(expect.objectContaining({ code: missing, file: place }))
  })

  it('of another worker in its place is named', async () => {
    const other = ground.inLog('worker-2', 'ended', name.endsWith('.wal') ? 'segment-000001.wal' : name)
    const foreign = name.startsWith('tile')
      ? ground.read(
          ground.inLog(
            'worker-2',
            'ended',
            name.includes('entries') ? 'tile/entries/000.p/43' : 'tile/0/000.p/43',
          ),
        )
      : ground.read(other)
    const problems = await ground.problemsAfter(() => ground.write(file(), foreign))
    expect(problems.map((problem) => problem.file)).toContain(file())
  })
})

describe('entries in another order', () => {
  it('are named in a bundle, by the first that is out of its place', async () => {
    const file = ground.inLog('worker-1', 'ended', 'tile/entries/000')
    const bundle = ground.read(file)
    const first = 2 + bundle.readUInt16BE(0)
    const second = 2 + bundle.readUInt16BE(first)
    const swapped = Buffer.concat([
      bundle.subarray(first, first + second),
      bundle.subarray(0, first),
      bundle.subarray(first + second),
    ])
    expect(await ground.problemsAfter(() => ground.write(file, swapped))).toMatchObject([
      { code: 'bundle.changed', file },
    ])
  })

  it('are named in a tile', async () => {
    const file = ground.inLog('worker-1', 'ended', 'tile/0/000')
    const tile = ground.read(file)
    const swapped = Buffer.concat([
      tile.subarray(0, 64),
      tile.subarray(96, 128),
      tile.subarray(64, 96),
      tile.subarray(128),
    ])
    expect(await ground.problemsAfter(() => ground.write(file, swapped))).toMatchObject([
      { code: 'tile.changed', file, offset: 64 },
    ])
  })

  it('are named in the write-ahead log, whose frames are sound', async () => {
    const file = ground.inLog('worker-1', 'ended', 'segment-000002.wal')
    const problems = await ground.problemsAfter(() => ground.write(file, swapTwoEntries(ground.read(file))))
    expect(problems).toMatchObject([{ code: 'entry.changed', file }])
  })

  it('are named when whole segments have changed places', async () => {
    const [one, other] = ['segment-000001.wal', 'segment-000002.wal'].map((name) =>
      ground.inLog('worker-1', 'ended', name),
    )
    const problems = await ground.problemsAfter(() => ground.swap(one ?? '', other ?? ''))
    expect(problems).toContainEqual(expect.objectContaining({ code: 'segment.foreign', file: one }))
  })
})

/** The two entries that come first in a segment, each in the other's place; their frames go with them. */
function swapTwoEntries(segment: Buffer): Buffer {
  const entries: { readonly start: number; readonly end: number }[] = []
  for (let offset = 0; entries.length < 2;) {
    const { control, payloadBytes } = frameAt(segment, offset)
    const end = offset + frameBytes(payloadBytes)
    if (!control) entries.push({ start: offset, end })
    offset = end
  }
  const [one = { start: 0, end: 0 }, other = one] = entries
  return Buffer.concat([
    segment.subarray(0, one.start),
    segment.subarray(other.start, other.end),
    segment.subarray(one.end, other.start),
    segment.subarray(one.start, one.end),
    segment.subarray(other.end),
  ])
}

describe('a history that somebody wrote anew', () => {
  /** The write-ahead log with one word of one entry changed, and the checksum made to fit. */
  function forge(file: string): number {
    const segment = ground.read(file)
    const at = segment.indexOf('"decision":"allow"')
    let offset = 0
    for (;;) {
      const { payloadBytes } = frameAt(segment, offset)
      const end = offset + 8 + payloadBytes
      if (end > at) {
        segment.write('"decision":"allaw"', at)
        writeFrame(segment, offset, Buffer.from(segment.subarray(offset + 8, end)), false)
        ground.write(file, segment)
        return at + '"decision":"all'.length
      }
      offset = end
    }
  }

  it('is named by the first byte that was not signed', async () => {
    const file = ground.inLog('worker-1', 'ended', 'segment-000002.wal')
    let offset = 0
    const problems = await ground.problemsAfter(() => void (offset = forge(file)))
    expect(problems).toMatchObject([{ code: 'entry.changed', file, offset }])
  })

  it('is named when the bundles tell the same lie, and the tiles do not', async () => {
    const file = ground.inLog('worker-1', 'ended', 'segment-000001.wal')
    const bundle = ground.inLog('worker-1', 'ended', 'tile/entries/000')
    const problems = await ground.problemsAfter(() => {
      forge(file)
      const bytes = ground.read(bundle)
      bytes.write('"decision":"allaw"', bytes.indexOf('"decision":"allow"'))
      ground.write(bundle, bytes)
    })
    expect(problems).toMatchObject([{ code: 'entry.changed', file }])
  })

  it('is named when nothing is left that gives the signed root', async () => {
    const file = ground.inLog('worker-1', 'ended', 'segment-000001.wal')
    const problems = await ground.problemsAfter(() => {
      forge(file)
      ground.removeAll(ground.inLog('worker-1', 'ended', 'tile'))
    })
    expect(problems).toMatchObject([
      { code: 'checkpoint.mismatch', file: ground.inLog('worker-1', 'ended', 'checkpoint') },
    ])
  })

  it('is named when a stranger signs it', async () => {
    const file = ground.inLog('worker-1', 'ended', 'checkpoint')
    const stranger = createKeySigner('gateway.example', generateKeyPairSync('ed25519').privateKey)
    const checkpoint = parseCheckpoint(ground.read(file).toString())
    const forged = checkpoint && (await signCheckpoint(checkpoint, stranger))
    expect(await ground.problemsAfter(() => ground.write(file, forged ?? ''))).toContainEqual(
      expect.objectContaining({ code: 'checkpoint.unsigned', file }),
    )
  })

  it('is named when the key itself signs it, by what the fleet log has', async () => {
    const file = ground.inLog('worker-1', 'ended', 'checkpoint')
    const signer = createKeySigner('gateway.example', createPrivateKey(ground.read('signing.key')))
    const { origin = '' } = parseCheckpoint(ground.read(file).toString()) ?? {}
    const note = await signCheckpoint({ origin, size: 331, root: Buffer.alloc(32, 1) }, signer)
    const kept = new Map([['kept', note]])
    expect(await ground.problemsAfter(() => undefined, { kept })).toContainEqual(
      expect.objectContaining({ code: 'log.rewritten' }),
    )
  })
})
