import { generateKeyPairSync } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createKeySigner } from '../../gateway/audit/tlog/signer.ts'
import { parseTilePath } from '../../gateway/audit/tlog/tile-path.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTampering, type Tampering } from '../harness/tampering.ts'

let ground: Tampering
beforeAll(async () => {
  ground = await startTampering()
})
afterAll(() => ground[Symbol.asyncDispose]())

describe('a checkpoint', () => {
  it('with any bit changed is named', async () => {
    const file = ground.inLog('worker-2', 'ended', 'checkpoint')
    const sizeBytes = ground.read(file).length
    for (let at = 0; at < sizeBytes; at += 19) {
      const problems = await ground.problemsAfter(() => ground.flip(file, at))
      expect(problems).toContainEqual(
        expect.objectContaining({
          file,
          code: expect.stringMatching(/^checkpoint\.(malformed|unsigned)$/) as string,
        }),
      )
    }
  })

  it('that is gone, or cut short, is named', async () => {
    const file = ground.inLog('worker-2', 'ended', 'checkpoint')
    expect(await ground.problemsAfter(() => ground.remove(file))).toContainEqual(
      expect.objectContaining({ file, code: 'checkpoint.behind' }),
    )
    expect(
      await ground.problemsAfter(() => ground.write(file, ground.read(file).subarray(0, -9))),
    ).toContainEqual(expect.objectContaining({ file, code: 'checkpoint.malformed' }))
  })

  it('of another log is named, be it of another worker or of another life', async () => {
    const file = ground.inLog('worker-2', 'ended', 'checkpoint')
    for (const other of [
      ground.inLog('worker-1', 'ended', 'checkpoint'),
      ground.inLog('worker-2', 'killed', 'checkpoint'),
    ]) {
      expect(await ground.problemsAfter(() => ground.write(file, ground.read(other)))).toContainEqual(
        expect.objectContaining({ file, code: 'checkpoint.foreign' }),
      )
    }
  })

  it('of the same log from before is named', async () => {
    for (const node of ['worker-1', 'fleet'] as const) {
      const file = ground.inLog(node, 'ended', 'checkpoint')
      const problems = await ground.problemsAfter(() =>
        ground.write(file, readFileSync(join(ground.earlier, file))),
      )
      expect(problems).toContainEqual(expect.objectContaining({ file, code: 'checkpoint.behind' }))
    }
  })
})

describe('a whole log', () => {
  it('that is gone is named, be it that of a worker or that of the fleet', async () => {
    for (const node of ['worker-1', 'worker-2'] as const) {
      for (const which of ['killed', 'ended'] as const) {
        const place = ground.inLog(node, which)
        const problems = await ground.problemsAfter(() => ground.removeAll(place))
        expect(problems).toContainEqual(expect.objectContaining({ code: 'log.missing', file: place }))
      }
    }
    const fleet = ground.inLog('fleet', 'killed')
    expect(await ground.problemsAfter(() => ground.removeAll(fleet))).toContainEqual(
      expect.objectContaining({ code: 'log.missing', file: fleet }),
    )
  })

  it('that was put back to what it was before is named by what the fleet log has', async () => {
    const place = ground.inLog('worker-1', 'ended')
    const problems = await ground.problemsAfter(() => ground.putBack(place), { complete: false })
    expect(problems).toContainEqual(expect.objectContaining({ code: 'log.rolled_back', file: place }))
  })

  it('of the fleet that was put back is named as one that has not ended, or by a checkpoint kept elsewhere', async () => {
    const place = ground.inLog('fleet', 'ended')
    const kept = new Map([['kept', ground.read(join(place, 'checkpoint')).toString()]])
    expect(await ground.problemsAfter(() => ground.putBack(place))).toContainEqual(
      expect.objectContaining({ code: 'log.open', file: place }),
    )
    expect(await ground.problemsAfter(() => ground.putBack(place), { complete: false, kept })).toContainEqual(
      expect.objectContaining({ code: 'log.rolled_back', file: place }),
    )
  })

  it('that was put back with everything else is named by a checkpoint kept elsewhere', async () => {
    const place = ground.inLog('fleet', 'ended')
    const kept = new Map([['kept', ground.read(join(place, 'checkpoint')).toString()]])
    expect(await ground.problemsAfter(() => ground.putBack(), { complete: false })).toEqual([])
    expect(await ground.problemsAfter(() => ground.putBack(), { complete: false, kept })).toContainEqual(
      expect.objectContaining({ code: 'log.rolled_back' }),
    )
  })

  it('in the place of another is named, be it of another worker or of another life', async () => {
    for (const other of [ground.inLog('worker-2', 'ended'), ground.inLog('worker-1', 'killed')]) {
      const place = ground.inLog('worker-1', 'ended')
      const problems = await ground.problemsAfter(() => ground.swap(place, other))
      const found = problems.filter(({ file }) => file.startsWith(place)).map(({ code }) => code)
      expect(found).toContain('checkpoint.foreign')
      expect(found).toContain('segment.foreign')
    }
  })
})

describe('beside the logs', () => {
  it('a mark of recovery that is gone, or that no start made, is named', async () => {
    const marker = ground.inLog('worker-1', 'killed', 'recovered')
    const another = ground.inLog('worker-1', 'ended', 'recovered')
    expect(await ground.problemsAfter(() => ground.remove(marker))).toContainEqual(
      expect.objectContaining({ code: 'recovery.unfinished', file: marker }),
    )
    expect(await ground.problemsAfter(() => ground.write(another, ''))).toContainEqual(
      expect.objectContaining({ code: 'recovery.missing', file: another }),
    )
  })

  it('a key that is changed, gone, or another one is named', async () => {
    const [name = ''] = readdirSync(join(ground.directory, 'keys'))
    const file = join('keys', name)
    for (const at of [0, 20, 40]) {
      expect(await ground.problemsAfter(() => ground.flip(file, at))).toContainEqual(
        expect.objectContaining({ code: 'key.malformed', file }),
      )
    }
    expect(await ground.problemsAfter(() => ground.remove(file))).toContainEqual(
      expect.objectContaining({ code: 'checkpoint.unsigned' }),
    )
    const stranger = createKeySigner('gateway.example', generateKeyPairSync('ed25519').privateKey)
    expect(await ground.problemsAfter(() => undefined, { keys: [stranger.key] })).toContainEqual(
      expect.objectContaining({ code: 'checkpoint.unsigned' }),
    )
  })

  it('a tile too many is named', async () => {
    for (const [tile, code] of [
      // The log has part of it.
      ['tile/0/001', 'tile.changed'],
      ['tile/0/002.p/9', 'file.unexpected'],
      ['tile/2/000.p/1', 'file.unexpected'],
      ['tile/entries/007', 'file.unexpected'],
      ['tile/0/strange', 'file.unexpected'],
    ] as const) {
      const file = ground.inLog('worker-1', 'ended', tile)
      const like = parseTilePath(tile)?.level === 'entries' ? 'tile/entries/000' : 'tile/0/000'
      const problems = await ground.problemsAfter(() =>
        ground.write(file, ground.read(ground.inLog('worker-1', 'ended', like))),
      )
      expect(problems).toContainEqual(expect.objectContaining({ code, file }))
    }
  })
})
