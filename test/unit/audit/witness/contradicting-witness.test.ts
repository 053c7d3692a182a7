import { readdir } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { systemDisk } from '../../../../gateway/audit/log-disk.ts'
import { parseCheckpoint } from '../../../../gateway/audit/tlog/checkpoint.ts'
import { formatVerifierKey } from '../../../../gateway/audit/tlog/verifier-key.ts'
import { Witnessing } from '../../../../gateway/audit/witness/witnessing.ts'
import { runningWitness } from '../../../harness/running-witness.ts'
import { temporaryDirectory } from '../../../harness/temporary-directory.ts'
import { virtualClock } from '../../../harness/virtual-clock.ts'
import { witnessedLog } from '../../../harness/witnessed-log.ts'

it.each([
  ['a larger log than was ever signed here', 9, 5, 'entry'],
  ['another log of the same size', 5, 5, 'forged'],
])('is told of when it has %s, and nothing is published', async (_what, witnessed, offered, fork) => {
  await using directory = await temporaryDirectory()
  await using place = await temporaryDirectory()
  const log = witnessedLog()
  await using witness = await runningWitness(place.path, [log.key])
  await witness.post(await log.request(0, witnessed))
  const answered = Promise.withResolvers<string>()
  await using witnessing = new Witnessing({
    config: {
      quorum: 1,
      each: [{ key: formatVerifierKey(witness.key), url: witness.url, caFile: undefined, timeoutMs: 5_000 }],
    },
    directory: directory.path,
    disk: systemDisk,
    clock: virtualClock(),
    onAnswer: (_witness, outcome) => answered.resolve(outcome),
  })
  const note = await log.checkpoint(offered, fork)
  const checkpoint = parseCheckpoint(note)
  if (checkpoint === undefined) throw new Error('no checkpoint')
  witnessing.offer(checkpoint, note)
  expect(await answered.promise).toBe('contradicted')
  expect(await readdir(directory.path)).toEqual([])
})
