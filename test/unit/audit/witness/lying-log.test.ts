import { generateKeyPairSync } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseCheckpoint, signCheckpoint } from '../../../../gateway/audit/tlog/checkpoint.ts'
import { createKeySigner } from '../../../../gateway/audit/tlog/signer.ts'
import { failingDisk } from '../../../harness/failing-disk.ts'
import { referenceConsistency } from '../../../harness/reference-tree.ts'
import { runningWitness, type RunningWitness } from '../../../harness/running-witness.ts'
import type { TemporaryDirectory } from '../../../harness/temporary-directory.ts'
import { addCheckpoint, witnessedLog, type WitnessedLog } from '../../../harness/witnessed-log.ts'
import { setWitnessScene, type WitnessScene } from './witness-scene.ts'

let directory: TemporaryDirectory
let log: WitnessedLog
let witness: RunningWitness
let newestSize: WitnessScene['newestSize']
beforeEach(async () => {
  ;({ directory, log, witness, newestSize } = await setWitnessScene())
})
afterEach(async () => {
  await witness[Symbol.asyncDispose]()
  await directory[Symbol.asyncDispose]()
})

describe('a log that lies', () => {
  it('cannot roll back: what was cosigned once is not cosigned again after a larger one', async () => {
    await witness.post(await log.request(0, 5))
    await witness.post(await log.request(5, 9))
    expect(await witness.post(await log.request(0, 5))).toMatchObject({ status: 409, body: '9\n' })
    expect(await witness.post(await log.request(5, 5))).toMatchObject({ status: 409, body: '9\n' })
    expect(await witness.post(await log.request(9, 5))).toMatchObject({ status: 400 })
  })

  it('gets one root for one size, and two that it signed are kept', async () => {
    await witness.post(await log.request(0, 5))
    expect(await witness.post(await log.request(5, 5, 'forged'))).toMatchObject({ status: 409, body: '5\n' })
    expect(witness.splitViews).toEqual([`${log.origin} 5`])
    const files = (await readdir(join(directory.path, 'state'))).filter((name) => name.includes('checkpoint'))
    const roots = await Promise.all(
      files.map(async (name) => parseCheckpoint(await readFile(join(directory.path, 'state', name), 'utf8'))),
    )
    expect(new Set(roots.map((kept) => kept?.root.toString('hex'))).size).toBe(2)
    expect(await witness.post(await log.request(5, 5))).toMatchObject({ status: 200 })
  })

  it('cannot bring the proof of another tree', async () => {
    await witness.post(await log.request(0, 5))
    expect(await witness.post(await log.request(5, 9, 'forged'))).toMatchObject({ status: 422 })
    const entries = Array.from({ length: 9 }, (_, index) => Buffer.from(`forged ${String(index)}`))
    const foreign = addCheckpoint(5, referenceConsistency(5, entries), await log.checkpoint(9))
    expect(await witness.post(foreign)).toMatchObject({ status: 422 })
    expect(await witness.post(addCheckpoint(5, [], await log.checkpoint(9)))).toMatchObject({ status: 422 })
    expect(await newestSize(witness)).toBe('5\n')
  })

  it('cannot bring a proof from nothing, or a root for no entries', async () => {
    const hash = Buffer.alloc(32)
    expect(await witness.post(addCheckpoint(0, [hash], await log.checkpoint(5)))).toMatchObject({
      status: 422,
    })
    const signer = createKeySigner('gateway.example', generateKeyPairSync('ed25519').privateKey)
    const empty = await signCheckpoint({ origin: log.origin, size: 0, root: hash }, signer)
    await using other = await runningWitness(join(directory.path, 'other'), [signer.key])
    expect(await other.post(addCheckpoint(0, [], empty))).toMatchObject({ status: 409 })
  })

  it('does not go back by two sizes at once', async () => {
    await witness.post(await log.request(0, 5))
    const [larger, smaller] = await Promise.all([log.request(5, 50), log.request(5, 9)])
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, index) => witness.post(index % 2 === 0 ? larger : smaller)),
    )
    const won = replies.filter(({ status }) => status === 200)
    expect(won).toHaveLength(1)
    const newest = await newestSize(witness)
    expect(replies.filter(({ status, body }) => status === 409 && body === newest)).toHaveLength(19)
  })

  it('waits for no other log', async () => {
    const disk = failingDisk()
    const other = witnessedLog('other.example')
    await using slow = await runningWitness(join(directory.path, 'slow'), [log.key, other.key], { disk })
    const release = Promise.withResolvers<void>()
    let isFirst = true
    disk.beforeEach(({ operation }) => {
      if (operation !== 'rename' || !isFirst) return
      isFirst = false
      return release.promise
    })
    const first = slow.post(await log.request(0, 5))
    const second = slow.post(await log.request(0, 9))
    await expect.poll(() => isFirst).toBe(false)
    expect(await slow.post(await other.request(0, 5))).toMatchObject({ status: 200 })
    release.resolve()
    expect(new Set([await first, await second].map(({ status }) => status))).toEqual(new Set([200, 409]))
  })
})
