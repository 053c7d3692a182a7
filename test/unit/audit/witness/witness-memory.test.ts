import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { formatVerifierKey } from '../../../../gateway/audit/tlog/verifier-key.ts'
import { failingDisk } from '../../../harness/failing-disk.ts'
import { runningWitness, type RunningWitness } from '../../../harness/running-witness.ts'
import type { TemporaryDirectory } from '../../../harness/temporary-directory.ts'
import type { WitnessedLog } from '../../../harness/witnessed-log.ts'
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

describe('the memory of a witness', () => {
  const restarted = async (): Promise<RunningWitness> => {
    await witness[Symbol.asyncDispose]()
    return (witness = await runningWitness(directory.path, [log.key]))
  }

  it('outlives it', async () => {
    const { key } = witness
    await witness.post(await log.request(0, 5))
    const after = await restarted()
    expect(formatVerifierKey(after.key)).toBe(formatVerifierKey(key))
    expect(await after.post(await log.request(0, 5, 'forged'))).toMatchObject({ status: 409, body: '5\n' })
    expect(await after.post(await log.request(5, 9))).toMatchObject({ status: 200 })
  })

  it.each(['rename', 'syncDirectory'] as const)(
    'is not behind what it signed when it dies before %s is done',
    async (step) => {
      const disk = failingDisk()
      const place = join(directory.path, 'dying')
      let dying = await runningWitness(place, [log.key], { disk })
      await dying.post(await log.request(0, 5))
      disk.beforeEach(({ operation }) => {
        if (operation === step) throw new Error('gone')
      })
      expect(await dying.post(await log.request(5, 9))).toMatchObject({ status: 500 })
      disk.beforeEach(() => undefined)
      // Nobody knows what is on the disk now: it signs nothing until it has read that anew.
      expect(await dying.post(await log.request(5, 9))).toMatchObject({ status: 500 })
      await dying[Symbol.asyncDispose]()
      dying = await runningWitness(place, [log.key])
      await using again = dying
      const kept = step === 'rename' ? 5 : 9
      expect(await newestSize(again)).toBe(`${String(kept)}\n`)
      expect(await again.post(await log.request(kept, 9))).toMatchObject({ status: 200 })
    },
  )

  it('is not answered from before it is written', async () => {
    const disk = failingDisk()
    await using careful = await runningWitness(join(directory.path, 'careful'), [log.key], { disk })
    const steps: string[] = []
    disk.beforeEach(({ operation }) => void steps.push(operation))
    await careful.post(await log.request(0, 5))
    expect(steps).toEqual(['overwrite', 'write', 'sync', 'rename', 'syncDirectory'])
  })

  it('signs nothing when somebody changed it', async () => {
    await witness.post(await log.request(0, 5))
    const state = join(directory.path, 'state')
    const name = (await readdir(state)).find((file) => file.endsWith('.checkpoint')) ?? ''
    await writeFile(join(state, name), await log.checkpoint(3))
    expect(await witness.post(await log.request(3, 9))).toMatchObject({ status: 500 })
    expect(witness.faults).toHaveLength(1)
  })

  it('is not begun anew for a key that has signed before', async () => {
    await witness[Symbol.asyncDispose]()
    await rm(join(directory.path, 'state'), { recursive: true })
    await expect(runningWitness(directory.path, [log.key])).rejects.toThrow('has signed is not in')
    await rm(join(directory.path, 'witness.key'))
    await rm(join(directory.path, 'state'), { recursive: true })
    witness = await runningWitness(directory.path, [log.key])
  })

  it('is that of one key, and of one process', async () => {
    await expect(runningWitness(directory.path, [log.key])).rejects.toThrow('another witness is running')
    await witness[Symbol.asyncDispose]()
    await expect(runningWitness(directory.path, [log.key], { name: 'w2' })).rejects.toThrow(
      'is the memory of',
    )
    witness = await runningWitness(directory.path, [log.key])
  })
})
